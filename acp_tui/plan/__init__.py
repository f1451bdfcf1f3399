"""The plan: what the operator decided, how it is read, written, edited and imported."""
