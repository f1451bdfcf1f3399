"""Checks that compare the nodes of a cluster with each other."""
