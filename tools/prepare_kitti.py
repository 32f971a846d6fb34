#!/usr/bin/env python
"""`hybrid-depth prepare-kitti`, see hybrid_depth/cli/prepare_kitti.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('prepare-kitti')
