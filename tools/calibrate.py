#!/usr/bin/env python
"""`hybrid-depth calibrate`, see hybrid_depth/cli/calibrate.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('calibrate')
