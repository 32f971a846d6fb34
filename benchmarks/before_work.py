"""What `benchmarks.before` runs with the code of two commits: only names that both have.

Every function takes a data folder and the folder of configs, and gives the work by its name; a
piece of work returns its result, a number or a digest.
"""

import copy
import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy
import torch
from mmdet3d.registry import DATASETS
from mmengine import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader, RandomSampler

import hybrid_depth.modules  # noqa: F401  registers the models
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.datasets.kitti.raw import KittiRawDataset
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.depth.estimators.data_preprocessor import DepthDataPreprocessor

Work = dict[str, Callable[[], float | str]]
SAMPLES, BATCH = 48, 12


def kitti_loading(data: str, configs: Path) -> Work:
    """Triplets of 192x640 for training, in the process or from one worker, stacked as floats."""
    pipeline = Config.fromfile(configs / '_base_/datasets/kitti_raw_mono.py').train_pipeline
    frames = KittiRawDataset(
        data_root=data,
        split='all',
        frame_ids=(0, -1, 1),
        intrinsics='monodepth2',
        pipeline=pipeline,
    )
    preprocessor = DepthDataPreprocessor()

    def digest_of(workers: int) -> str:
        torch.manual_seed(0)
        loader = DataLoader(
            frames,
            BATCH,
            sampler=RandomSampler(frames, replacement=True, num_samples=SAMPLES),
            num_workers=workers,
            collate_fn=pseudo_collate,
        )
        digest = hashlib.sha256()
        for batch in loader:
            inputs = preprocessor(batch)['inputs']
            for images in (inputs['images'], inputs['augmented']):
                for image in images.values():
                    digest.update(image[0, :, 0].numpy().tobytes())
        return digest.hexdigest()[:16]

    return {'in the process': lambda: digest_of(0), 'one worker': lambda: digest_of(1)}


def _random_weights(config: Path) -> torch.nn.Module:
    cfg = Config.fromfile(config)
    cfg.model.encoder.update(pretrained=None)
    cfg.model.pose_net.update(pretrained=None)
    torch.manual_seed(0)
    return build_model(cfg)


def _for_inference(model: torch.nn.Module) -> torch.nn.Module:
    """A model as the code of the commit prepares it."""
    try:
        from hybrid_depth.devices import for_inference
    except ImportError:  # before BatchNorms were folded
        return model.eval()
    return for_inference(model, 'cpu')


def monodepth2(data: str, configs: Path) -> Work:
    """Training step with a batch of two, and inference of one image, Monodepth2-R18 of 192x640."""
    path = configs / 'monodepth2/monodepth2_r18_1xb12-20e_kitti-raw_192x640.py'
    model, trained = _random_weights(path), _random_weights(path).train()
    model = _for_inference(model)
    images = {frame: torch.rand(2, 3, 192, 640) for frame in (0, -1, 1)}
    cam2img = torch.tensor([[371.2, 0, 320], [0, 368.6, 96], [0, 0, 1]]).expand(2, 3, 3)
    inputs = dict(images=images, augmented=images, cam2img=cam2img)

    def step() -> float:
        torch.manual_seed(0)
        trained.zero_grad()
        loss = trained.parse_losses(trained(inputs, mode='loss'))[0]
        loss.backward()
        return round(loss.item(), 4)

    def predict() -> float:
        with torch.no_grad():
            return round(model.predict({0: images[0][:1]}).values.mean().item(), 4)

    return {'training step': step, 'inference': predict}


def hybrid(data: str, configs: Path) -> Work:
    """Disparity of one image of 224x672 by Hybrid-depth's stage 2, text features cached."""
    name = 'hybrid-depth-stage2_clip-dinov2_1xb16-30e_kitti-raw_224x672.py'
    torch.manual_seed(0)
    model = build_model(Config.fromfile(configs / 'hybrid_depth' / name))
    model = _for_inference(model)
    image = torch.rand(1, 3, 224, 672)

    def predict() -> float:
        with torch.no_grad():
            return round(model.disparity(image).mean().item(), 4)

    return {'forward, text cached': predict}


def bevdet(data: str, configs: Path) -> Work:
    """Training step and prediction of BEVDet-R50, one sample of six 256x704 images."""
    init_default_scope('mmdet3d')
    cfg = Config.fromfile(configs / 'bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py')
    cfg.model.img_backbone.pop('init_cfg', None)
    torch.manual_seed(0)
    model, trained = build_model(cfg), build_model(cfg).train()
    trained.load_state_dict(model.state_dict())
    model = _for_inference(model)
    with tempfile.TemporaryDirectory() as folder:
        infos = f'{folder}/nuscenes_infos_train.pkl'
        create_nuscenes_infos(data, 'v1.0-mini', folder)
        same = dict(data_root=data, ann_file=infos, metainfo=dict(version='v1.0-mini'))
        train, test = cfg.train_dataloader.dataset.dataset, cfg.test_dataloader.dataset
        torch.manual_seed(0)
        numpy.random.seed(0)
        samples = [pseudo_collate([DATASETS.build({**d, **same})[0]]) for d in (train, test)]

    def step() -> float:
        trained.zero_grad()
        inputs = trained.data_preprocessor(copy.deepcopy(samples[0]), True)
        loss = trained.parse_losses(trained(**inputs, mode='loss'))[0]
        loss.backward()
        return round(loss.item(), 3)

    def predict() -> float:
        with torch.no_grad():
            found = model.test_step(copy.deepcopy(samples[1]))[0].pred_instances_3d
        return round(found.scores_3d.sum().item(), 3)

    return {'training step': step, 'prediction': predict}
