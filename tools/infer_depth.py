#!/usr/bin/env python
"""`hybrid-depth infer-depth`, see hybrid_depth/cli/infer_depth.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('infer-depth')
