"""The command line: `main` runs one command.

`commands/` has one module for each command, with its name, help and options. `actions/` has the code of long commands,
such as `check.py`, `fix.py` and `install.py`. Short commands have their code in `commands/`. All commands share
`context.py`. Only this package of the engine prints. `actions/screen.py` opens the wizard.
"""
