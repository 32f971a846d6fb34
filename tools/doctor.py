#!/usr/bin/env python
"""`hybrid-depth doctor`, see hybrid_depth/cli/doctor.py."""

from hybrid_depth.cli import main

if __name__ == '__main__':
    main('doctor')
