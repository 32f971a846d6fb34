"""Make a checkpoint of this toolkit from an official release.

Examples:
  hybrid-depth convert-checkpoint monodepth2 models/mono_640x192 mono_640x192.pth
  hybrid-depth convert-checkpoint hybrid-depth-stage2 checkpoints/ hybrid_stage2.pth \\
      --stock-clip openai --stock-dino dinov2_vitb14_pretrain.pth
  hybrid-depth convert-checkpoint hybrid-depth-stage1 stage1.ckpt hybrid_stage1.pth
  hybrid-depth convert-checkpoint bevdet bevdet-r50/ bevdet_r50.pth
Strict: a key or shape that does not fit is an error. Nothing in the files is run.
"""

import argparse

KINDS = ('monodepth2', 'hybrid-depth-stage1', 'hybrid-depth-stage2', 'bevdet')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('kind', choices=KINDS)
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


def run(args: argparse.Namespace) -> None:
    from ..releases.convert import convert_checkpoint
    from ..releases.report import conversion_report

    conversion = convert_checkpoint(
        args.kind,
        args.source,
        args.out,
        args.config,
        args.stock_clip,
        args.stock_dino,
        args.drop_text_tower,
    )
    print(conversion_report(conversion))
    print(f'wrote {args.out}')
