"""Factories of plans, facts, verdicts and reports."""
