"""What `benchmarks.before` runs with the code of two commits: only names that both have.

Every function takes a data folder and the folder of configs, and gives the work by its name; a
piece of work returns its result, a number or a digest.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from mmengine import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope, init_default_scope
from torch.utils.data import DataLoader, Dataset, RandomSampler

import hybrid_depth.modules  # noqa: F401  registers the models
from hybrid_depth.bev.detectors.data_preprocessor import BEVDataPreprocessor
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.datasets.kitti.raw import KittiRawDataset
from hybrid_depth.depth.estimators.data_preprocessor import DepthDataPreprocessor

from .gpu_models import detector_batch

Work = dict[str, Callable[[], float | str]]
SAMPLES, BATCH = 48, 12
IMAGE_TRANSFORMS = ('LoadMultiViewImages', 'ImageAugmentation', 'PackBEVInputs')
KEYFRAMES = 12


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


def as_command_line() -> None:
    """What command lines of the commit set for the process."""
    try:
        from hybrid_depth.kept_memory import keep_freed_memory
    except ImportError:  # before memory was kept
        return
    keep_freed_memory()


class Keyframes(Dataset):
    """One nuScenes keyframe several times, by the image transforms of a pipeline."""

    def __init__(self, data: str, transforms: list[dict]) -> None:
        cameras = {path.parent.name: str(path) for path in Path(data).glob('samples/CAM_*/*.jpg')}
        if len(cameras) < 6:
            raise SystemExit(f'{data}: expected a nuScenes root of six cameras, got {len(cameras)}')
        camera = np.array([[1266.0, 0, 800], [0, 1266, 450], [0, 0, 1]])
        pose = np.eye(4)
        self.info = dict(img_path=sorted(cameras.values()), cam2img=[camera] * len(cameras))
        self.info |= dict(cam2ego=[pose] * len(cameras), bda=pose, ego2global=pose)
        with DefaultScope.overwrite_default_scope('mmdet3d'):
            self.pipeline = Compose([x for x in transforms if x['type'] in IMAGE_TRANSFORMS])

    def __len__(self) -> int:
        return KEYFRAMES

    def __getitem__(self, index: int) -> dict:
        np.random.seed(index)
        return self.pipeline(dict(self.info))


def nuscenes_loading(data: str, configs: Path) -> Work:
    """The six images of keyframes for training or test, as floats."""
    cfg = Config.fromfile(configs / '_base_/datasets/nuscenes_bev.py')
    preprocessor = BEVDataPreprocessor()

    def digest_of(transforms: list[dict], workers: int) -> str:
        keyframes = Keyframes(data, transforms)
        loader = DataLoader(keyframes, num_workers=workers, collate_fn=pseudo_collate)
        digest = hashlib.sha256()
        for batch in loader:
            images = preprocessor(batch)['inputs']['imgs']
            digest.update(images[0, :, :, 0].numpy().tobytes())
        return digest.hexdigest()[:16]

    parts = {'training': cfg.train_pipeline, 'test': cfg.test_pipeline}
    places = {'in the process': 0, 'one worker': 1}
    return {
        f'{part}, {place}': partial(digest_of, transforms, workers)
        for part, transforms in parts.items()
        for place, workers in places.items()
    }


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


def bevdet(data: str, configs: Path) -> Work:
    """Forward pass and training step of BEVDet-R50 with one sample of six 256x704 images."""
    cfg = Config.fromfile(configs / 'bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py')
    init_default_scope('mmdet3d')
    torch.manual_seed(0)
    model, trained = build_model(cfg), build_model(cfg).train()
    model = _for_inference(model)
    inputs, samples = detector_batch(cfg, 1)

    def step() -> float:
        trained.zero_grad()
        loss = trained.parse_losses(trained(inputs, samples, mode='loss'))[0]
        loss.backward()
        return round(loss.item(), 1)

    def forward() -> float:
        with torch.no_grad():
            outputs = model(inputs, mode='tensor')
        return round(outputs[0][0]['heatmap'].mean().item(), 4)

    return {'forward': forward, 'training step': step}


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
