"""The code of commands, where it is too long for `commands/`. Each module calls the engine and prints the result."""
