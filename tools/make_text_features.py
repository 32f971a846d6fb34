#!/usr/bin/env python
"""`hybrid-depth make-text-features`, see hybrid_depth/cli/make_text_features.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('make-text-features')
