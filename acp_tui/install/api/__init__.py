"""The HTTP API of the installer."""
