"""Nodes: SSH connections and the collection of facts. Requirements are checked elsewhere."""
