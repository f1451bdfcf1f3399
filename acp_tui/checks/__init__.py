"""Checks: pure functions from plan and facts to verdicts, and the catalogue of requirements they follow."""
