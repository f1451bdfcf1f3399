"""GnuPG: a private home for each call, and encryption of small files."""
