"""Nodes: SSH connections and the collection of facts. `checks` evaluates the facts."""
