#!/usr/bin/env python
"""`hybrid-depth curves`, see hybrid_depth/cli/curves.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('curves')
