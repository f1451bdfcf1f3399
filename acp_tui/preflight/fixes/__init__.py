"""Fixes: changes on a node that make failed requirements pass, as a readable script that can be undone.

The module `select` chooses the steps, and `script` writes them; both are pure. The module `apply` runs them over SSH
and reports the results.
"""
