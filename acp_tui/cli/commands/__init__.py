"""The declarations of the commands: one module each, with help, options and a `run` function.

`parser.py` imports all of these modules for `--help`. So that this is fast, each module imports the engine and asyncio
only inside its functions. If the code of a command is long, `run` only calls it, and the code is in the package
`acp_tui.cli.actions`. Otherwise, `run` contains the code.
"""
