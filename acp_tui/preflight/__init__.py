"""The preflight: collect and evaluate together, and everything made from the result."""
