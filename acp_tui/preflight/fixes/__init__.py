"""Fixes: the changes on a node that would make failed requirements pass, as a script that a person can read and undo.

`select` chooses the steps and `script` writes them (both pure); `apply` runs them over SSH and reports what happens.
"""
