"""Benchmarks of time, CPU and memory: run `make bench`; `docs/performance.md` has the results."""
