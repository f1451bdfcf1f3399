"""The work of the commands: call the engine, and print the result."""
