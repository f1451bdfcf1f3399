"""Observe an install run: its progress, logs, durations and the causes of a failure."""
