"""Benchmarks of ``tools/benchmark.py``; every table is measured in one run."""
