#!/usr/bin/env python
"""`hybrid-depth make-toy-world`, see hybrid_depth/cli/make_toy_world.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('make-toy-world')
