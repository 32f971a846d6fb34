#!/usr/bin/env python
"""`hybrid-depth browse-dataset`, see hybrid_depth/cli/browse_dataset.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('browse-dataset')
