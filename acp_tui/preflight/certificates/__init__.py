"""Certificate and key files on this machine."""
