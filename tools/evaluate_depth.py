#!/usr/bin/env python
"""`hybrid-depth evaluate-depth`, see hybrid_depth/cli/evaluate_depth.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('evaluate-depth')
