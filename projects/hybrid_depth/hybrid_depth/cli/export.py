"""Write a trained model as an ONNX file, and check it against PyTorch.

Example: hybrid-depth export configs/toy/bevdet_hybrid_toy.py \\
             work_dirs/bevdet_hybrid_toy/epoch_25.pth bevdet.onnx
The file has standard operators only. Geometry is an input, so that one file serves cars of
different calibration; hybrid_depth.export.OnnxBEVDet runs it with onnxruntime and numpy alone.
"""

import argparse

from ..config_files import find_config
from .number_types import at_least, whole

PRECISIONS = ('fp32', 'fp16')
HEADS = ('maps', 'boxes', 'nms')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config file, or the name of a shipped one')
    parser.add_argument('checkpoint', help='checkpoint file or URL; "random" for random weights')
    parser.add_argument('out', help='ONNX file to write')
    parser.add_argument(
        '--precision',
        choices=PRECISIONS,
        default='fp32',
        help='of the weights and most operators (default: %(default)s); inputs and outputs are '
        'float32',
    )
    parser.add_argument(
        '--size',
        type=at_least(1),
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='network image of a depth model (default: of its training)',
    )
    parser.add_argument(
        '--frames',
        type=whole,
        nargs='+',
        help='frames that the file of a depth model takes: 0 for one image alone (default: all '
        'that the model uses)',
    )
    parser.add_argument(
        '--int8',
        metavar='CALIBRATION',
        help='quantise convolutions to 8 bits, with the ranges of activations on these key frames '
        '(info file) of a detector or images (folder, video) of a depth model',
    )
    parser.add_argument(
        '--samples', type=at_least(1), default=32, help='of the calibration (default: %(default)s)'
    )
    parser.add_argument(
        '--head',
        choices=HEADS,
        default='maps',
        help='what the file of a detector ends with: maps, decoded by numpy; boxes before '
        'suppression; or boxes after it (default: %(default)s)',
    )
    parser.add_argument(
        '--cameras',
        type=at_least(1),
        default=6,
        help='cameras of a detector (default: %(default)s)',
    )


def run(args: argparse.Namespace) -> None:
    config = find_config(args.config)

    from ..export.models import export_model

    checkpoint = None if args.checkpoint == 'random' else args.checkpoint
    report = export_model(
        config,
        checkpoint,
        args.out,
        precision=args.precision,
        cameras=args.cameras,
        head=args.head,
        size=None if args.size is None else tuple(args.size),
        frames=args.frames,
        int8=args.int8,
        samples=args.samples,
    )
    print(report)
