"""Sizing: the number and size of machines that the manual requires, as checks and as a calculator."""
