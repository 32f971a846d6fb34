#!/usr/bin/env python
"""Make a checkpoint of this toolkit from an official release.

Examples:
  python tools/convert_checkpoint.py monodepth2 models/mono_640x192 mono_640x192.pth
  python tools/convert_checkpoint.py hybrid-depth-stage2 checkpoints/ hybrid_stage2.pth \\
      --stock-clip openai --stock-dino dinov2_vitb14_pretrain.pth
  python tools/convert_checkpoint.py hybrid-depth-stage1 stage1.ckpt hybrid_stage1.pth
  python tools/convert_checkpoint.py bevdet bevdet-r50/ bevdet_r50.pth
Strict: a key or shape that does not fit is an error. Nothing in the files is run.
"""

import argparse
from pathlib import Path

from hybrid_depth import cli
from hybrid_depth.checkpoints.convert import CONVERTERS, convert_checkpoint
from hybrid_depth.checkpoints.report import conversion_report

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = cli.make_parser(__doc__)
    parser.add_argument('kind', choices=list(CONVERTERS))
    parser.add_argument('source', help="the release's folder or file")
    parser.add_argument('out', help='checkpoint to write')
    parser.add_argument(
        '--config', help='config whose model the weights must fit, instead of the shipped one'
    )
    parser.add_argument(
        '--stock-clip', metavar='WEIGHTS', help='say which CLIP parts differ from this file or tag'
    )
    parser.add_argument(
        '--stock-dino', metavar='WEIGHTS', help='say which DINO parts differ from this file'
    )
    parser.add_argument(
        '--drop-text-tower',
        action='store_true',
        help='hybrid-depth-stage2: keep the text features only, which is enough for inference',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    conversion = convert_checkpoint(
        args.kind,
        args.source,
        args.out,
        ROOT / 'configs',
        args.config,
        args.stock_clip,
        args.stock_dino,
        args.drop_text_tower,
    )
    print(conversion_report(conversion))
    print(f'wrote {args.out}')


if __name__ == '__main__':
    cli.run(main)
