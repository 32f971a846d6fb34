#!/usr/bin/env python
"""`hybrid-depth app`, see hybrid_depth/cli/app.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('app')
