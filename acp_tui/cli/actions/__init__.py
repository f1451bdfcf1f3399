"""The code of long commands. Each module calls the engine and prints the result."""
