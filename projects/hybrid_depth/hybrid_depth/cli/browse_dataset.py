"""Draw samples of a config's data set as the model sees them, after all augmentations.

Example: hybrid-depth browse-dataset toy/bevdet_hybrid_toy.py out/ --number 8
Of detectors: the images of the network with the boxes projected into them, and both from above; a
wrong augmentation moves boxes off their objects. Of depth models: all frames, before and after
colour augmentation, and the depth maps.
"""

import argparse

from ..config_files import find_config
from .number_types import at_least
from .runner_arguments import add_config_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config file, or the name of a shipped one')
    parser.add_argument('out', help='output folder')
    parser.add_argument('--part', choices=['train', 'val', 'test'], default='train')
    parser.add_argument(
        '--number', type=at_least(1), default=4, help='samples, evenly spaced (default: 4)'
    )
    parser.add_argument('--repeat', type=at_least(1), default=1, help='draws of each sample')
    parser.add_argument('--seed', type=at_least(0), default=0, help='of the random augmentations')
    add_config_options(parser)


def run(args: argparse.Namespace) -> None:
    config = find_config(args.config)

    from tqdm import tqdm

    from ..doctor.browsing import browse
    from ..doctor.datasets import check_datasets
    from ..engine.config import load_config

    cfg = load_config(config, None, args.cfg_options, 'none')
    loader = f'{args.part}_dataloader'
    check_datasets(cfg, (loader,))
    drawn = browse(cfg, loader, args.out, args.number, args.repeat, args.seed)
    count = sum(1 for _ in tqdm(drawn, desc='samples', total=args.number * args.repeat))
    print(f'wrote {count} images to {args.out}')
