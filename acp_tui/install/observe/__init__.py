"""Follow a run: progress, logs, timing, causes of a failure."""
