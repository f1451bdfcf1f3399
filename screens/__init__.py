"""The wizard: what a person sees and types. All knowledge of ACP is in `acp_tui`; here are rows, keys and words."""
