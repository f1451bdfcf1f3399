"""Mending nodes: what could be changed on a node for each finding, as one script a person can read, run and take back.

`mend` chooses steps (pure), `script` writes them down (pure), `run` carries them out over SSH and tells what happens.
"""
