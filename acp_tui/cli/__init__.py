"""The command line: `main` runs one command.

`commands/` declares the commands: name, help and options, one module each. `actions/` has the work of long commands,
such as `check.py`, `fix.py` and `install.py`; short commands have it in `commands/`. `context.py` is shared by all.
Only this package of the engine prints; `actions/screen.py` opens the wizard.
"""
