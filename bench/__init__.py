"""What the program costs: run with `make bench`; `docs/performance.md` says what came of it."""
