"""Full-size detectors on one real sample: parameters and CPU time of each stage."""

import tempfile
import time
from pathlib import Path

import torch
from mmdet3d.registry import DATASETS, MODELS
from mmengine import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

import hybrid_depth  # noqa: F401  registers models and data sets
from hybrid_depth.datasets.nuscenes_infos import create_nuscenes_infos

REPOSITORY = Path(__file__).resolve().parents[1]
CONFIGS = ('bevdet_r50', 'bevdet_r50_depth', 'bevdet_hybrid')
STAGES = (
    'img_backbone',
    'img_neck',
    'img_view_transformer',
    'img_bev_encoder_backbone',
    'img_bev_encoder_neck',
    'pts_bbox_head',
)


def without_weights(cfg: Config) -> Config:
    """The same model with random weights: no file, no download."""
    cfg.model.img_backbone.init_cfg = None
    encoder = cfg.model.img_view_transformer.depth_net.get('encoder')
    for tower in ('clip', 'dino'):
        if encoder is not None:
            encoder[tower].pretrained = None
    return cfg


def load_sample(cfg: Config, root: str, ann_file: str) -> dict:
    """The first sample through the config's own test pipeline, collated."""
    dataset_cfg = cfg.test_dataloader.dataset
    dataset_cfg.update(data_root=root, ann_file=ann_file, metainfo=dict(version='v1.0-mini'))
    return pseudo_collate([DATASETS.build(dataset_cfg)[0]])


def measure(cfg: Config, sample: dict) -> tuple[list[float], list[float]]:
    """Parameters (millions) and seconds of each stage, in the order of ``STAGES``."""
    model = MODELS.build(cfg.model).eval()
    started, seconds = {}, {}
    for name in STAGES:
        module = getattr(model, name)
        module.register_forward_pre_hook(
            lambda *_, name=name: started.update({name: time.perf_counter()})
        )
        module.register_forward_hook(
            lambda *_, name=name: seconds.update({name: time.perf_counter() - started[name]})
        )
    for _ in range(2):  # the first pass also warms up
        model.test_step(sample)
    parameters = [sum(p.numel() for p in getattr(model, n).parameters()) / 1e6 for n in STAGES]
    return parameters, [seconds[name] for name in STAGES]


def main(root: str) -> None:
    """Print one table a config, batch 1, random weights."""
    init_default_scope('mmdet3d')
    print(
        f'Full-size detectors, batch 1 of six 256 x 704 images, CPU, {torch.get_num_threads()} '
        f'threads, torch {torch.__version__}, random weights'
    )
    with tempfile.TemporaryDirectory() as folder:
        create_nuscenes_infos(root, 'v1.0-mini', folder)
        for name in CONFIGS:
            cfg = without_weights(Config.fromfile(REPOSITORY / 'configs' / f'{name}.py'))
            sample = load_sample(cfg, root, f'{folder}/nuscenes_infos_train.pkl')
            parameters, seconds = measure(cfg, sample)
            print(f'\n{name}\n{"stage":28}{"parameters M":>14}{"seconds":>10}')
            for row in zip(STAGES, parameters, seconds, strict=True):
                print('{:28}{:14.2f}{:10.2f}'.format(*row))
            print(f'{"all":28}{sum(parameters):14.2f}{sum(seconds):10.2f}')
