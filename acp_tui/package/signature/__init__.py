"""Verify the signature of a package. The modules run gpg, interpret its status lines and parse key files."""
