"""The commands: the only place of the engine that prints; wizard.py alone opens screens."""
