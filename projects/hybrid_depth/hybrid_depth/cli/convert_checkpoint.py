"""Convert the weights of an official release to a checkpoint of this toolkit.

Examples:
  hybrid-depth convert-checkpoint monodepth2 models/mono_640x192 mono_640x192.pth
  hybrid-depth convert-checkpoint manydepth models/KITTI_MR manydepth.pth
  hybrid-depth convert-checkpoint hybrid-depth-stage2 checkpoints/ hybrid_stage2.pth \\
      --stock-clip openai --stock-dino dinov2_vitb14_pretrain.pth
  hybrid-depth convert-checkpoint hybrid-depth-stage1 stage1.ckpt hybrid_stage1.pth
  hybrid-depth convert-checkpoint bevdet bevdet-r50/ bevdet_r50.pth
Strict: keys or shapes that do not match are an error. Code in the files is not run.
"""

import argparse

KINDS = (
    'monodepth2',
    'manydepth',
    'mono-vifi',
    'ifrnet',
    'hybrid-depth-stage1',
    'hybrid-depth-stage2',
    'bevdet',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('kind', choices=KINDS)
    parser.add_argument('source', help="the release's folder or file")
    parser.add_argument('out', help='checkpoint to write')
    parser.add_argument(
        '--config', help='config of the model for the weights, instead of the shipped one'
    )
    parser.add_argument(
        '--stock-clip',
        metavar='WEIGHTS',
        help='compare CLIP parts with original weights, a file or tag',
    )
    parser.add_argument(
        '--stock-dino', metavar='WEIGHTS', help='compare DINO parts with original weights, a file'
    )
    parser.add_argument(
        '--drop-text-tower',
        action='store_true',
        help='hybrid-depth-stage2: keep only the text features, sufficient for inference',
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
