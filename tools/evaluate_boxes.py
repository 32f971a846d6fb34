#!/usr/bin/env python
"""`hybrid-depth evaluate-boxes`, see hybrid_depth/cli/evaluate_boxes.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('evaluate-boxes')
