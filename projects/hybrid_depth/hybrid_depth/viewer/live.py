"""Predictions of a detector, computed while they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..bev.evaluation.detection_protocol import DetectionProtocol
from ..bev.evaluation.global_boxes import to_global
from ..inference.bev import infer_sample, init_bev_model, keyframes
from .key_frames import Camera, KeyFrame
from .runs import Prediction


class LiveRun:
    """Detector that predicts each key frame when it is asked for.

    Args:
        config, checkpoint, device: as of `init_bev_model`.
        infos: info file.
        root: data set.
        content: of the info file.
        protocol: benchmark.
        name: of the run.
    """

    def __init__(
        self,
        config: str | Path,
        checkpoint: str | Path,
        device: str,
        infos: str | Path,
        root: Path,
        content: Mapping,
        protocol: DetectionProtocol,
        name: str,
    ):
        self.name, self._protocol = name, protocol
        self._model = init_bev_model(config, checkpoint, device)
        self._dataset = keyframes(self._model, infos, root)
        self._infos = {info['token']: info for info in content['data_list']}
        places = range(len(self._dataset))
        self._place = {self._dataset.get_data_info(i)['token']: i for i in places}

    def __call__(self, frame: KeyFrame) -> Prediction | None:
        if frame.token not in self._place:
            return None
        packed = self._dataset[self._place[frame.token]]
        sample = infer_sample(self._model, packed)
        found = sample.pred_instances_3d.to('cpu')
        classes = self._dataset.metainfo['classes']
        boxes = to_global(self._infos[frame.token], found, 0, classes, self._protocol)
        depth = sample.get('pred_depth')
        if depth is None:
            return Prediction(boxes)
        cameras = _depth_cameras(packed['inputs'], sample.metainfo['cam_names'], depth.data.shape)
        maps = depth.data.float().cpu().numpy()
        return Prediction(boxes, list(zip(cameras, maps, strict=True)))


def _depth_cameras(inputs: Mapping, names: list[str], shape: tuple[int, int, int]) -> list[Camera]:
    """Cameras of depth maps (N, h, w): those of the images, with the pixels of the maps."""
    rig, size = inputs['rig'], inputs['img'].shape[-2:]
    scale = np.eye(3)
    scale[:2, 2] = [(s / full - 1) / 2 for s, full in zip(shape[:0:-1], size[::-1], strict=True)]
    scale[[0, 1], [0, 1]] = [s / full for s, full in zip(shape[:0:-1], size[::-1], strict=True)]
    cam2map = scale @ rig['img_aug'].numpy() @ rig['cam2img'].numpy()
    poses = rig['cam2ego'].numpy()
    return [
        Camera(name, Path(), k, pose) for name, k, pose in zip(names, cam2map, poses, strict=True)
    ]
