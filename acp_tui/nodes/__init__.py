"""The nodes: how they are reached over SSH and which facts are collected from them. No thresholds here."""
