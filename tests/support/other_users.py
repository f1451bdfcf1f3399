"""Files of other users in tests. Only root can give a file to another user."""

import os

import pytest

STRANGER = 65534
"""The user ID of nobody, who is neither root nor the operator."""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
