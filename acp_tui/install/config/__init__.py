"""The configuration document of the installer."""
