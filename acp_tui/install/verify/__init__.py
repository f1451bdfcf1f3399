"""Verify the installed cluster: queries, checks, diagnosis, clean-up, checklist, completion report."""
