"""Checks of the plan alone: rules that need no node."""
