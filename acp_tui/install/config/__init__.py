"""The configuration that acp-tui sends to the installer."""
