#!/usr/bin/env python
"""`hybrid-depth infer-bev`, see hybrid_depth/cli/infer_bev.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('infer-bev')
