"""Tests against real sshd nodes in network namespaces."""
