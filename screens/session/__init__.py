"""The state of the running wizard: plan, draft, nodes and verdicts. This package contains no widgets."""
