#!/usr/bin/env python
"""`hybrid-depth rig`, see hybrid_depth/cli/rig.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('rig')
