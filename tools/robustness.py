#!/usr/bin/env python
"""`hybrid-depth robustness`, see hybrid_depth/cli/robustness.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('robustness')
