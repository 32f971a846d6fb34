"""Depth of uploaded images and videos in a browser: depth, metres, point cloud.

Example:
  hybrid-depth app monodepth2/monodepth2_r18_1xb12-20e_kitti-raw_192x640.py monodepth2.pth
Several models: CONFIG CHECKPOINT CONFIG CHECKPOINT ... Only this machine can open the page; nothing
is sent elsewhere, and uploads are removed at the end.
Needs Gradio: pip install 'hybrid-depth[app]'.
"""

import argparse
import sys
from pathlib import Path

from ..config_files import find_config
from .number_types import at_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('models', nargs='+', help='configs, each with its checkpoint')
    parser.add_argument('--device', default='cpu', help='cpu (default), cuda, cuda:1, ...')
    parser.add_argument(
        '--port', type=at_least(0), default=0, help='port on this machine (default: a free one)'
    )
    parser.add_argument(
        '--max-mib', type=at_least(1), default=100, help='largest upload, MiB (default: 100)'
    )
    parser.add_argument(
        '--max-frames', type=at_least(1), default=300, help='frames of a video (default: 300)'
    )
    parser.add_argument('--no-browser', action='store_true', help='print the address only')


def run(args: argparse.Namespace) -> None:
    if len(args.models) % 2:
        sys.exit(f'error: expected CONFIG CHECKPOINT pairs, got {len(args.models)} arguments')

    from ..optional import require_package

    for package in ('gradio', 'trimesh'):
        require_package(package, "pip install 'hybrid-depth[app]'")

    from ..engine.config import require_checkpoint
    from ..viewer.app import serve
    from ..viewer.depth_models import DepthModels, ModelFiles

    files = []
    for config, checkpoint in zip(args.models[::2], args.models[1::2], strict=True):
        require_checkpoint(checkpoint)
        files.append(ModelFiles(find_config(config), Path(checkpoint)))
    models = DepthModels(files, args.device)
    serve(models, args.port, args.max_mib, args.max_frames, not args.no_browser)
