"""The preflight: collect facts, evaluate requirements, and create report, bundle and fixes from the result."""
