#!/usr/bin/env python
"""`hybrid-depth flops`, see hybrid_depth/cli/flops.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('flops')
