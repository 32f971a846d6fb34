#!/usr/bin/env python
"""`hybrid-depth test`, see hybrid_depth/cli/test.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('test')
