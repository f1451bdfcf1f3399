"""Verify the signature of a package: gpg, its status lines, and the packets of key files."""
