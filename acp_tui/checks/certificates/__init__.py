"""The facts of a certificate pair."""
