"""The wizard: screens, keys and texts. All knowledge of ACP is in the engine, `acp_tui`."""
