"""Find, verify and unpack the vendor's archives: the Core Package and the Extensions Package."""
