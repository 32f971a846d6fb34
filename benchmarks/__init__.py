"""Side-by-side measurements behind ``tools/benchmark.py``; every table is made in one run."""
