"""The command line: `main` runs one command.

`commands/` declares the commands: name, help and options, one module each. A long command has its work in a module of
the same name here: `check.py`, `fix.py`, `install.py`. Short commands have it in `commands/`. `context.py` has the parts
that commands share. This is the only room of the engine that prints; `screen.py` opens the wizard.
"""
