"""Read certificate and key files on this host."""
