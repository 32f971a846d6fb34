#!/usr/bin/env python
"""`hybrid-depth export`, see hybrid_depth/cli/export.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('export')
