#!/usr/bin/env python
"""`hybrid-depth zoo`, see hybrid_depth/cli/zoo.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('zoo')
