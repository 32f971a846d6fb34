#!/usr/bin/env python
"""`hybrid-depth view`, see hybrid_depth/cli/view.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('view')
