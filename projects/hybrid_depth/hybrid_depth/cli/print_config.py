"""Print a config with its bases and options merged.

Example: hybrid-depth print-config toy/bevdet_hybrid_toy.py --cfg-options train_cfg.max_epochs=2
The output is a config file.
"""

import argparse

from ..config_files import find_config
from .runner_arguments import add_config_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config file, or the name of a shipped one')
    parser.add_argument('--out', help='output file (default: print)')
    add_config_options(parser)


def run(args: argparse.Namespace) -> None:
    config = find_config(args.config)

    from mmengine.config import Config

    from ..engine.config import load_config
    from ..files import atomic_file

    cfg = load_config(config, None, args.cfg_options, 'none')
    text = Config(cfg.to_dict()).pretty_text  # a new one, as ours are written without yapf
    if args.out is None:
        print(text, end='')
        return
    with atomic_file(args.out, 'w') as file:
        file.write(text)
