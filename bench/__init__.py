"""Benchmarks of the program. Run them with `make bench`; the results are in `docs/performance.md`."""
