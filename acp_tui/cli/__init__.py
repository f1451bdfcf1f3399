"""The command line: `main` runs one command.

`commands/` declares the commands: name, help and options, one module each. A long command has its work in a module of
the same name here, such as `check.py`, `fix.py` and `install.py`. A short command has its work in `commands/`.
`context.py` is shared by all. This is the only room of the engine that prints; `screen.py` opens the wizard.
"""
