"""Active tests: they listen, write or load on the nodes, so they run only on request."""
