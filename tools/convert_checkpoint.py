#!/usr/bin/env python
"""`hybrid-depth convert-checkpoint`, see hybrid_depth/cli/convert_checkpoint.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('convert-checkpoint')
