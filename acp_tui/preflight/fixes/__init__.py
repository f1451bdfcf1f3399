"""Fixes. A fix changes a node so that a failed requirement passes.

The fixes of a node are one readable script, which also writes a script that undoes them.

The module `select` chooses the steps, and `script` writes them; both are pure. The module `apply` runs them over SSH
and reports the results.
"""
