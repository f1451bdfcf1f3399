"""Healthy settings that resemble a fault, and faults that resemble healthy settings."""
