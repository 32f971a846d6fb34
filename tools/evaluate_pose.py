#!/usr/bin/env python
"""`hybrid-depth evaluate-pose`, see hybrid_depth/cli/evaluate_pose.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('evaluate-pose')
