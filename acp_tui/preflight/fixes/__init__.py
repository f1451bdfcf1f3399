"""Fixes: changes on a node that make failed requirements pass, as a readable script that can be undone.

`select` chooses the steps and `script` writes them (both pure); `apply` runs them over SSH and reports what happens.
"""
