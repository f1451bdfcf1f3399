"""The plan contains all decisions about an install. This package reads, writes and edits plans, and imports nodes."""
