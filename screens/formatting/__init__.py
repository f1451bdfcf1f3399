"""Functions that create the texts of the screens. They use no widgets and keep no state."""
