"""Checks of the plan alone. They need no facts of a node."""
