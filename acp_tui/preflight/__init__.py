"""The preflight: collect facts, evaluate requirements, and make report, bundle and fixes from the result."""
