#!/usr/bin/env python
"""Side-by-side measurements, printed with ratios.

Example:
    python tools/benchmark.py pooling
    python tools/benchmark.py models --root ../shared/data/nuscenes_keyframe
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    commands.add_parser('pooling', help='BEV pooling back-ends: time and peak memory')
    models = commands.add_parser('models', help='full-size detectors: parameters and CPU time')
    models.add_argument('--root', default='../shared/data/nuscenes_keyframe', help='nuScenes root')
    args = parser.parse_args()
    if args.command == 'pooling':
        from benchmarks import pooling

        pooling.main()
    else:
        from benchmarks import models as model_bench

        model_bench.main(args.root)


if __name__ == '__main__':
    main()
