"""Checks between the nodes of a cluster."""
