"""Verify the installed cluster: queries, checks, triage, clean-up, checklist, completion report."""
