#!/usr/bin/env python
"""`hybrid-depth print-config`, see hybrid_depth/cli/print_config.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('print-config')
