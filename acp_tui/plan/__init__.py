"""The plan contains all decisions about an install. This package reads, writes, edits and imports plans."""
