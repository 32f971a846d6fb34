"""Parameters and operations of a model and of its parts, without data or weights.

Examples:
  hybrid-depth flops configs/bevdet_hybrid.py
  hybrid-depth flops monodepth2/monodepth2_r18_1xb12-20e_kitti-raw_192x640.py --size 320 1024
Counts matrix products, convolutions and attention of one key frame or image, as torch does: two
operations for a multiplication with addition.
"""

import argparse

from ..config_files import find_config
from .number_types import at_least
from .runner_arguments import add_config_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config file, or the name of a shipped one')
    parser.add_argument(
        '--size',
        nargs=2,
        type=at_least(1),
        metavar=('HEIGHT', 'WIDTH'),
        help="images of a depth model, pixels (default: the config's)",
    )
    add_config_options(parser)


def run(args: argparse.Namespace) -> None:
    config = find_config(args.config)

    from ..config_errors import explained
    from ..engine.config import load_config
    from ..inference.complexity import cost_table, model_costs

    cfg = load_config(config, None, args.cfg_options, 'none')
    with explained(cfg):
        costs = model_costs(cfg, args.size and tuple(args.size))
    print(cost_table(costs))
