"""The practice cluster: simulated nodes with real SSH, a signed package and a simulated installer.

With it you can try acp-tui without real machines. All its output has the label PRACTICE.
"""
