"""Dialogs and full screens that open over a step."""
