#!/usr/bin/env python
"""`hybrid-depth make-embodied-depth`, see hybrid_depth/cli/make_embodied_depth.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('make-embodied-depth')
