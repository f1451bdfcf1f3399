"""The vendor's packages: find, verify and unpack them."""
