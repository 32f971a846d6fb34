"""Command lines: `hybrid-depth TOOL`, and `tools/TOOL.py` in the repository.

A tool is a module of this package: its docstring is the help text, `add_arguments` defines the
arguments, and `run` executes the tool. Slow imports come after parsing, so `--help` and usage
errors are immediate.
"""

import argparse
import importlib
import os
import select
import sys
import urllib.error
from collections.abc import Callable
from typing import TextIO

from ..errors import HybridDepthError
from ..kept_memory import keep_freed_memory
from ..version import __version__

# exit codes of shells after SIGINT (Ctrl-C) and SIGPIPE
_INTERRUPTED, _NO_READER = 130, 141
TOOLS = {
    'train': 'train a model from a config',
    'test': 'evaluate a checkpoint on the test set of its config',
    'print-config': 'print a config with its bases merged',
    'browse-dataset': 'draw samples as the model sees them',
    'flops': 'count parameters and operations of a model',
    'curves': 'plot what trainings logged',
    'compare': 'compare the metrics of tests in a table',
    'robustness': 'evaluate a checkpoint under corruptions and calibration errors',
    'depth-worth': "what a detector's boxes owe to its depth, per range and class",
    'doctor': 'check a config, its data and weights for other conventions',
    'infer-bev': 'predict boxes and depth of keyframes',
    'infer-depth': 'predict depth of images and videos',
    'calibrate': "find the metres of a depth model's depth, without LiDAR",
    'export': 'write a trained model as an ONNX file',
    'view': 'look at data and predictions in a browser',
    'app': 'depth of uploaded images and videos in a browser',
    'make-pseudo-depth': 'depth labels for a detector from a depth model',
    'make-embodied-depth': 'depth from calibration and class labels',
    'make-ego-masks': 'find the body of the vehicle in its images',
    'make-captions': 'captions of images by an image-to-text model',
    'make-text-features': 'features of captions and object sentences by a CLIP text tower',
    'zoo': 'official weights by name: list, info, download',
    'convert-checkpoint': 'convert official weights',
    'evaluate-boxes': 'evaluate a file of predicted boxes against an info file',
    'evaluate-depth': 'evaluate depth maps against ground truth',
    'evaluate-pose': 'evaluate camera motion against ground-truth poses',
    'create-nuscenes-infos': 'make the info files of a nuScenes root',
    'rig': 'import an own vehicle, and check it',
    'prepare-kitti': 'check a KITTI download, export ground truth, make split lists',
    'make-toy-world': 'generate a small data set',
}


def main(tool: str | None = None) -> None:
    """Run a tool with the arguments of this process.

    Args:
        tool: one of `TOOLS`; None for the first argument.
    """
    run(_main, tool)


def _main(tool: str | None) -> None:
    arguments = sys.argv[1:]
    if tool is None:
        tool, arguments = _chosen_tool(arguments[:1]), arguments[1:]
    module = importlib.import_module(f'{__name__}.{tool.replace("-", "_")}')
    parser = make_parser(module.__doc__, f'hybrid-depth {tool}')
    module.add_arguments(parser)
    module.run(parser.parse_args(arguments))


def _chosen_tool(arguments: list[str]) -> str:
    lines = [f'  {tool:22} {subject}' for tool, subject in TOOLS.items()]
    parser = make_parser(
        'Swap any depth encoder under any camera-only BEV detector from a config file.\n\n'
        + '\n'.join(['tools:', *lines])
        + '\n\nExample: hybrid-depth train toy/bevdet_hybrid_toy.py\n'
        '`hybrid-depth TOOL --help` shows the options of a tool.',
        'hybrid-depth',
    )
    parser.add_argument('tool', choices=TOOLS, metavar='TOOL', help='one of the tools above')
    parser.add_argument('--version', action='version', version=__version__)
    return parser.parse_args(arguments).tool


def make_parser(description: str, name: str | None = None) -> argparse.ArgumentParser:
    """Argument parser with an unformatted description (a docstring with an example)."""
    return argparse.ArgumentParser(
        name, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def run(function: Callable[..., None], *arguments) -> None:
    """Call a tool's function; user errors exit with their text and exit code 1, Ctrl-C with 130.

    A reader of the output that stops early (`| head`) ends the tool without a message.
    """
    keep_freed_memory()
    try:
        try:
            function(*arguments)
        finally:
            sys.stdout.flush()  # here, as Python has only a traceback for it later
    except (HybridDepthError, FileNotFoundError, FloatingPointError) as error:
        sys.exit(f'error: {error}')
    except urllib.error.URLError as error:
        address = getattr(error, 'url', None) or 'a URL'
        sys.exit(
            f'error: expected to download {address}, got {error}. Download the file in another way '
            'and give its path'
        )
    except BrokenPipeError as error:
        if _has_reader(sys.stdout):
            sys.exit(f'error: {error}')  # another pipe, of a worker
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # flushed again at the end
        sys.exit(_NO_READER)
    except OSError as error:
        if error.errno is None:  # not of the system
            raise
        sys.exit(f'error: {error}')  # a full disk or a folder without permission, with its name
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(_INTERRUPTED)


def _has_reader(stream: TextIO) -> bool:
    """Whether a pipe still has a reader; True for files and terminals."""
    pipe = select.poll()
    pipe.register(stream.fileno(), 0)
    return not any(event & select.POLLERR for _, event in pipe.poll(0))
