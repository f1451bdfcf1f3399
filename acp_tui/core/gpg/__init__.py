"""Encrypt and decrypt small files with GnuPG (gpg), usually in a temporary home folder for gpg."""
