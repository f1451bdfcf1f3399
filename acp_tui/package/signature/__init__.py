"""The signature of a package: gpg, its status lines, and packets of key files."""
