"""SSH connections to nodes, and the collection of their facts. The package `checks` evaluates the facts."""
