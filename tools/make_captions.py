#!/usr/bin/env python
"""`hybrid-depth make-captions`, see hybrid_depth/cli/make_captions.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('make-captions')
