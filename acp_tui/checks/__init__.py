"""Checks: pure functions that compare plan and facts with the requirements, and the catalogue of requirements."""
