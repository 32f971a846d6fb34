#!/usr/bin/env python
"""`hybrid-depth make-ego-masks`, see hybrid_depth/cli/make_ego_masks.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('make-ego-masks')
