#!/usr/bin/env python
"""`hybrid-depth make-pseudo-depth`, see hybrid_depth/cli/make_pseudo_depth.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('make-pseudo-depth')
