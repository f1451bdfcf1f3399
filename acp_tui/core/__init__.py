"""Shared kernel of the engine: texts, files, errors, events. It knows nothing of the product."""
