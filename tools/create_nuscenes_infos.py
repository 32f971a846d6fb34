#!/usr/bin/env python
"""`hybrid-depth create-nuscenes-infos`, see hybrid_depth/cli/create_nuscenes_infos.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('create-nuscenes-infos')
