"""The declarations of the commands: one module each, with help, options and a `run` function.

`parser.py` imports all of them for `--help`. So each of them imports the engine and asyncio only inside its functions.
If the code of a command is long, it is in `acp_tui.cli.actions`, and `run` calls it. Otherwise, `run` contains it.
"""
