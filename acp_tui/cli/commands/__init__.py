"""The commands: one module each, with its options, its help and the function that runs it.

`parser.py` imports all of them for `--help`, so a module here imports the engine and asyncio only inside its functions.
A long command has its work in a module of the same name in `acp_tui.cli`.
"""
