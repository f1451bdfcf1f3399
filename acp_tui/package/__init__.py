"""The package of the vendor: name, signature, archive, unpacking."""
