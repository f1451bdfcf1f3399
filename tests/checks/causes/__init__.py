"""Tests of the causes of verdicts."""
