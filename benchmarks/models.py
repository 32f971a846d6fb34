"""Full-size detectors on one real sample: parameters, FLOPs, CPU time and memory of each stage."""

import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import astuple, dataclass
from pathlib import Path

import torch
from mmdet3d.registry import DATASETS
from mmengine import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch.utils.flop_counter import FlopCounterMode

import hybrid_depth.modules  # noqa: F401  registers models and data sets
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos

from . import memory
from .peak import peak_flops

REPOSITORY = Path(__file__).resolve().parents[1]
CONFIGS = (
    'bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py',
    'bevdet/bevdet_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py',
    'bevdet_hybrid.py',
    'fbbev/fbbev_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py',
)
STAGES = (
    'img_backbone',
    'img_neck',
    'img_view_transformer',
    'foreground_proposal',
    'backward_projection',
    'img_bev_encoder_backbone',
    'img_bev_encoder_neck',
    'pts_bbox_head',
)


def load_sample(cfg: Config, root: str, ann_file: str) -> dict:
    """The first sample from the config's test pipeline, collated."""
    dataset_cfg = cfg.test_dataloader.dataset
    dataset_cfg.update(data_root=root, ann_file=ann_file, metainfo=dict(version='v1.0-mini'))
    return pseudo_collate([DATASETS.build(dataset_cfg)[0]])


@dataclass
class Cost:
    """Cost of one stage: parameters in millions, FLOPs in units of 10^9, seconds, peak MiB."""

    parameters: float
    gflops: float = 0.0
    seconds: float = 0.0
    mib: float = 0.0


def _watch(module: torch.nn.Module, before: Callable, after: Callable) -> list:
    """Call ``before`` ahead of a module's forward pass, then ``after`` with its result."""
    state = {}
    return [
        module.register_forward_pre_hook(lambda *_: state.update(value=before())),
        module.register_forward_hook(lambda *_: after(state['value'])),
    ]


def measure(cfg: Config, sample: dict) -> dict[str, Cost]:
    """Cost of each stage of a detector, in the order of ``STAGES``.

    FLOPs as counted by torch: matrix products and convolutions, two per multiply-add; sampling and
    pooling are not counted.
    """
    model = build_model(cfg).eval()
    stages = {name: getattr(model, name) for name in STAGES if getattr(model, name, None)}
    costs = {
        name: Cost(sum(p.numel() for p in module.parameters()) / 1e6)
        for name, module in stages.items()
    }
    counter = FlopCounterMode(display=False)
    looks = dict(  # each in a separate pass; the first is also the warm-up
        gflops=(counter.get_total_flops, lambda n: (counter.get_total_flops() - n) / 1e9),
        seconds=(time.perf_counter, lambda t: time.perf_counter() - t),
        mib=(memory.start, memory.peak_above),
    )
    for name, (before, difference) in looks.items():
        hooks = [
            hook
            for stage, module in stages.items()
            for hook in _watch(
                module,
                before,
                lambda value, stage=stage, name=name, difference=difference: setattr(
                    costs[stage], name, difference(value)
                ),
            )
        ]
        with counter if name == 'gflops' else nullcontext():
            model.test_step(sample)
        for hook in hooks:
            hook.remove()
    return costs


def main(root: str) -> None:
    """Print one table per config, batch 1, random weights."""
    init_default_scope('mmdet3d')
    print(
        f'Full-size detectors, batch 1 of six 256 x 704 images, CPU, {torch.get_num_threads()} '
        f'threads, torch {torch.__version__}, random weights (an untrained foreground '
        'proposal keeps all cells)'
    )
    peak = peak_flops() / 1e9
    print(f'matrix product of this machine: {peak:.0f} GFLOP/s')
    with tempfile.TemporaryDirectory() as folder:
        create_nuscenes_infos(root, 'v1.0-mini', folder)
        for name in CONFIGS:
            cfg = Config.fromfile(REPOSITORY / 'configs' / name)
            sample = load_sample(cfg, root, f'{folder}/nuscenes_infos_train.pkl')
            costs = measure(cfg, sample)
            print(f'\n{name}')
            print(f'{"stage":28}{"parameters M":>14}{"GFLOPs":>10}{"seconds":>10}{"MiB":>8}')
            for stage, cost in costs.items():
                print('{:28}{:14.2f}{:10.1f}{:10.2f}{:8.0f}'.format(stage, *astuple(cost)))
            *sums, mib = zip(*map(astuple, costs.values()), strict=True)
            totals = (*map(sum, sums), max(mib))
            print('{:28}{:14.2f}{:10.1f}{:10.2f}{:8.0f}'.format('all (MiB: largest)', *totals))
            _, gflops, seconds, _ = totals
            print(f'{gflops / seconds:.0f} GFLOP/s, {gflops / seconds / peak:.0%} of the product')
