"""The declarations of the commands: one module each, with help, options and a `run` function.

`parser.py` imports all of them for `--help`. So each of them imports the engine and asyncio only inside its functions.
`run` calls the code of a long command in `acp_tui.cli.actions`. For a short command, `run` has the code itself.
"""
