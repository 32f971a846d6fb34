#!/usr/bin/env python
"""`hybrid-depth depth-worth`, see hybrid_depth/cli/depth_worth.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('depth-worth')
