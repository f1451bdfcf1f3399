"""Text for screens: no widgets, no state."""
