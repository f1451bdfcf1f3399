"""The end of an install, proven: the cluster is asked, held against the manual, its installer cleared away, all told.

`look` asks (I/O), `judge` compares (pure), `verify` does both once; checklist, clean-up and completion report follow.
"""
