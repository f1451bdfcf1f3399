"""The declarations of the commands: one module each, with help, options and a `run` function.

`parser.py` imports all of them for `--help`. So a module here imports the engine and asyncio only inside its functions.
`run` calls the module of `acp_tui.cli.actions` that does the work, or does it itself if it is short.
"""
