"""One install run: its state on disk, its process, its phases."""
