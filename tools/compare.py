#!/usr/bin/env python
"""`hybrid-depth compare`, see hybrid_depth/cli/compare.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('compare')
