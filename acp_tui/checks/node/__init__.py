"""Checks that use the facts of one node."""
