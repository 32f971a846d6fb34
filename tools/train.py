#!/usr/bin/env python
"""`hybrid-depth train`, see hybrid_depth/cli/train.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('train')
