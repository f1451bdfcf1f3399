"""Run GnuPG (gpg) with a temporary home folder, and encrypt small files with it."""
