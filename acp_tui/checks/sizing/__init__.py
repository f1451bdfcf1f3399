"""Sizing: size requirements of the manual, and the calculator."""
