"""Checks of one node."""
