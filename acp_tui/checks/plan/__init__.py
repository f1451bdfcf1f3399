"""Checks of the plan alone, which need no facts of a node."""
