"""The plan: all decisions about an install, and how they are read, written, edited and imported."""
