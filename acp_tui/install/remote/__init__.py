"""Install from another machine: upload, provision, start, follow."""
