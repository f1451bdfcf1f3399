"""The code of the longer commands, which call the engine and print the result.

The package `commands/` declares all commands, and contains the code of the shorter ones.
"""
