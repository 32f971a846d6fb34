"""Full-size depth models through their ONNX files on a frame of a KITTI drive: error, and time
beside PyTorch, one thread each, random weights."""

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hybrid_depth.datasets.kitti.tree import KittiRawTree
from hybrid_depth.depth.estimators.init import init_depth_model
from hybrid_depth.depth.estimators.manydepth import ManyDepth
from hybrid_depth.depth.transforms.resize import resize_cam2img
from hybrid_depth.export import OnnxDepth
from hybrid_depth.export.depth_model import (
    DepthInputs,
    example_inputs,
    export_depth_model,
    onnx_depth,
    torch_depth,
)
from hybrid_depth.export.onnx_depth import DepthSpec
from hybrid_depth.export.report import relative_errors, seconds

REPEATS = 5
CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
MODELS = {  # config, options of the export
    'monodepth2': ('monodepth2/monodepth2_r18_1xb12-20e_kitti-raw_192x640.py', {}),
    'hybrid-depth': (
        'hybrid_depth/hybrid-depth-stage2_clip-dinov2_1xb16-30e_kitti-raw_224x672.py',
        {},
    ),
    'manydepth': ('manydepth/manydepth_r18_1xb12-20e_kitti-raw_192x640.py', {}),
    'manydepth-hybrid': ('manydepth/manydepth_clip-dinov2_1xb12-20e_kitti-raw_224x672.py', {}),
    'mono-vifi': ('mono_vifi/mono-vifi_r18_1xb10-20e_kitti-raw_192x640.py', {}),
    'mono-vifi-alone': (
        'mono_vifi/mono-vifi_r18_1xb10-20e_kitti-raw_192x640.py',
        dict(frames=(0,)),
    ),
    'embodiment': (
        'embodied/embodiment_swin-l_1xb3-50e_kitti-depth_352x1216.py',
        dict(size=(352, 1216)),
    ),
    'wordepth': (
        'embodied/wordepth_swin-l_1xb3-50e_kitti-depth_352x1216.py',
        dict(size=(352, 1216)),
    ),
}


def main(kitti: str, names: Sequence[str]) -> None:
    """Print the table, a row a model and number of frames."""
    torch.set_num_threads(1)
    print('| file | frames | size | error | onnxruntime | PyTorch | ratio |')
    print('|---|---|---|---|---|---|---|')
    for name in names or MODELS:
        config, options = MODELS[name]
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter('ignore')  # random weights, single-frame mode
            path = Path(folder, 'model.onnx')
            torch.manual_seed(0)
            model = init_depth_model(CONFIGS / config)
            export_depth_model(model, path, **options)
            network = OnnxDepth(path, threads=1)
            inputs = kitti_inputs(Path(kitti), network.spec)
            for given in _numbers_of_frames(model, inputs):
                print(_row(name, model, network, given), flush=True)


def _row(name: str, model: torch.nn.Module, network: OnnxDepth, inputs: DepthInputs) -> str:
    found, expected = onnx_depth(network, inputs), torch_depth(model, inputs)
    error = relative_errors(dict(depth=found), dict(depth=expected), 'fp32')['depth']
    onnx_time, torch_time = seconds(
        lambda: onnx_depth(network, inputs), lambda: torch_depth(model, inputs), repeats=REPEATS
    )
    rows, columns = network.spec.image_size
    return (
        f'| {name} | {len(inputs.frames)} | {rows}x{columns} | {error:.0e} | {onnx_time:.2f} s '
        f'| {torch_time:.2f} s | {onnx_time / torch_time:.2f} |'
    )


def kitti_inputs(root: Path, spec: DepthSpec) -> DepthInputs:
    """The middle frame of the first drive, with its neighbours, at the network size; embodied depth
    is that of a road 1.65 m below the camera."""
    tree = KittiRawTree(root)
    drive = tree.drives()[0]
    images = tree.images(drive, 'l')
    number = sorted(images)[len(images) // 2]
    rows, columns = spec.image_size
    frames = {}
    for frame in spec.frames:
        image = Image.open(images[number + frame]).convert('RGB')
        pixels = image.resize((columns, rows), Image.Resampling.LANCZOS)
        frames[frame] = np.asarray(pixels, np.float32).transpose(2, 0, 1)[None] / 255
    cam2img = resize_cam2img(tree.calibration(drive).cam2img(2), image.size, (columns, rows))
    below = np.arange(rows) - cam2img[1, 2]
    road = np.where(below > 1, 1.65 * cam2img[1, 1] / np.maximum(below, 1), 0)
    return replace(
        example_inputs(spec).first(),
        frames=frames,
        cam2img=cam2img[None],
        physics_depth=np.repeat(road[None, :, None], columns, 2).astype(np.float32),
    )


def _numbers_of_frames(model: torch.nn.Module, inputs: DepthInputs) -> list[DepthInputs]:
    """The inputs, and those of one file for fewer frames."""
    alone = replace(inputs, frames={0: inputs.frames[0]}, transforms={})
    several = isinstance(model, ManyDepth) and len(inputs.frames) > 1
    return [alone, inputs] if several else [inputs]
