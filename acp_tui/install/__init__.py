"""The install: from a bundle to a verified cluster."""
