"""Fakes, factories and harnesses that tests share."""
