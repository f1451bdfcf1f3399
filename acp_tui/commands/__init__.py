"""The commands: each a thin face of the engine. They alone print; `--json` puts one document on standard output."""
