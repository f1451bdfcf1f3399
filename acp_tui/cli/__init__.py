"""The command line: `main` runs one command.

`commands/` declares the commands: name, help and options, one module each. It also contains the code of a command if
that is short; otherwise the code is in `actions/`, such as in `install.py`. All commands use `context.py`.
In the engine, only this package prints. The module `actions/screen.py` opens the wizard.
"""
