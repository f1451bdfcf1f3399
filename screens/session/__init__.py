"""The state of the running wizard, without widgets."""
