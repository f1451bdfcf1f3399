"""Remote install: upload the files to the installer node, provide acp-tui there, and start and follow the install."""
