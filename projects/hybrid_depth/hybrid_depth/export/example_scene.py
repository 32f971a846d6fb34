"""A made-up scene, on which exported detectors are compared with PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from mmdet3d.models.detectors import Base3DDetector
from mmdet3d.structures import Det3DDataSample

from ..bev.temporal import History
from ..geometry import CameraRig
from .calibration import Array, Calibration
from .detector_spec import DetectorSpec
from .earlier_frames import EarlierFrame, earlier_inputs
from .onnx_bevdet import OnnxBEVDet

HISTORY = 3  # earlier key frames of the scene for recurrent fusion


@dataclass(frozen=True)
class Scene:
    """Inputs of a detector.

    Args:
        images: (B, N, 3, H, W) RGB in [0, 1].
        calibration: of the B samples.
        earlier: images and calibration of earlier key frames, latest first.
    """

    images: Array
    calibration: Calibration
    earlier: Sequence[tuple[Array, Calibration]] = ()

    def first(self) -> Scene:
        """The first sample, as a batch of one."""
        earlier = [(images[:1], each.sample(0)) for images, each in self.earlier]
        return Scene(self.images[:1], self.calibration.sample(0), earlier)

    def inputs(self, spec: DetectorSpec) -> dict[str, Array]:
        """Inputs of the file by name, with noise as features of earlier frames."""
        inputs = dict(spec.geometry(self.calibration), images=self.images)
        if spec.earlier is None:
            return inputs
        b, n = self.images.shape[:2]
        (nx, ny, nz), h, w = spec.lift.size, len(spec.lift.v), len(spec.lift.u)
        shapes = dict(
            logits=(b, n, len(spec.lift.depths), h, w),
            context=(b, n, spec.channels, h, w),
            bev=(b, nz * spec.channels, ny, nx),
            history=(b, spec.earlier.count, nz * spec.channels, ny, nx),
            ages=(b, spec.earlier.count),
        )
        noise = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        frames = [EarlierFrame(noise, calibration) for _, calibration in self.earlier]
        return inputs | earlier_inputs(spec.earlier, spec.lift, self.calibration, frames)


def example_scene(spec: DetectorSpec, cameras: int) -> Scene:
    """Two cars with cameras all around, of different focal length, height and pitch, in noise."""
    rng = np.random.default_rng(0)
    cars = [
        _ring(spec.image_size, cameras, focal=0.8, height=1.5, pitch=0.0),
        _ring(spec.image_size, cameras, focal=0.65, height=2.1, pitch=0.06),
    ]
    calibration = Calibration.of({name: np.stack([car[name] for car in cars]) for name in cars[0]})
    count = 1
    if spec.earlier is not None:
        count += HISTORY if spec.earlier.align == 'recurrent' else spec.earlier.count
    shape = (2, cameras, 3, *spec.image_size)
    frames = [
        (
            rng.random(shape, np.float32),
            replace(calibration, ego2global=_poses(age), time=np.array([9, 5]) - 0.5 * age),
        )
        for age in range(count)
    ]
    return Scene(*frames[0], frames[1:])


def _poses(age: int) -> Array:
    """(2, 4, 4) poses of two cars in a bend, so many key frames ago."""
    turns = np.array([0.05, -0.1]) * age
    poses = np.tile(np.eye(4), (2, 1, 1))
    poses[:, 0, 0] = poses[:, 1, 1] = np.cos(turns)
    poses[:, 1, 0] = np.sin(turns)
    poses[:, 0, 1] = -np.sin(turns)
    poses[:, 0, 3], poses[:, 1, 3] = -3.3 * age, 0.4 * age
    return poses


def _ring(
    size: Sequence[int], cameras: int, focal: float, height: float, pitch: float
) -> dict[str, Array]:
    """Cameras on a circle of 1 m, of images twice as large as the network's.

    Args:
        size: (H, W) of the network image.
        cameras: number N.
        focal: of the network image, over its width.
        height: metres.
        pitch: radians, positive if the cameras look down.
    """
    rows, columns = size
    f = 2 * focal * columns
    cam2img = np.array([[f, 0, columns], [0, f, rows], [0, 0, 1.0]])
    cos, sin = np.cos(pitch), np.sin(pitch)
    forward = np.array([[0.0, -sin, cos], [-1, 0, 0], [0, -cos, -sin]])  # camera to ego axes
    cam2ego = np.tile(np.eye(4), (cameras, 1, 1))
    for pose, yaw in zip(cam2ego, np.arange(cameras) * 2 * np.pi / cameras, strict=True):
        turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        pose[:3, :3], pose[:3, 3] = turn @ forward, turn @ [1, 0, height]
    return dict(
        cam2img=np.tile(cam2img, (cameras, 1, 1)),
        cam2ego=cam2ego,
        img_aug=np.tile(np.diag([0.5, 0.5, 1.0]), (cameras, 1, 1)),
        bda=np.eye(4),
    )


def earlier_frames(detector: OnnxBEVDet, scene: Scene) -> list[EarlierFrame]:
    """Earlier key frames of a scene through the file.

    With the poses of the cameras in the current key frame, as in ``AdjacentFrames``; or, with
    recurrent fusion, the last one, after those before it.
    """
    frames: list[EarlierFrame] = []
    if detector.spec.earlier is not None and detector.spec.earlier.align == 'recurrent':
        for images, earlier in scene.earlier[::-1]:
            frames = [detector.frame(detector.run(images, earlier, frames), earlier)]
        return frames
    for images, earlier in scene.earlier:
        shown = replace(scene.calibration, cam2img=earlier.cam2img, img_aug=earlier.img_aug)
        frames.append(detector.frame(detector.run(images, shown), earlier))
    return frames


def onnx_outputs(detector: OnnxBEVDet, scene: Scene) -> dict[str, Array]:
    """Outputs of a file."""
    return detector.run(scene.images, scene.calibration, earlier_frames(detector, scene))


@torch.no_grad()
def torch_outputs(model: Base3DDetector, scene: Scene) -> dict[str, Array]:
    """What a file's outputs must be: those of the model, with its own geometry."""
    device = next(model.parameters()).device

    def frame(images: Array, calibration: Calibration) -> dict:
        arrays = {f.name: getattr(calibration, f.name) for f in fields(CameraRig)}
        rig = CameraRig(**{name: torch.from_numpy(x) for name, x in arrays.items()})
        return dict(imgs=torch.from_numpy(images).to(device), rig=rig.to(device))

    inputs = frame(scene.images, scene.calibration)
    if isinstance(model.temporal, History):
        for index, each in enumerate(scene.earlier[::-1]):
            model.extract_feat(frame(*each), positions(each[1], index))
    else:
        inputs['adjacent'] = [frame(*each) for each in scene.earlier]
    samples = positions(scene.calibration, len(scene.earlier))
    bev, distribution = model.extract_feat(inputs, samples)
    depth = model.img_view_transformer.bins.expectation(distribution.prob)
    outputs = {'depth': depth.unflatten(0, scene.images.shape[:2])}
    for task, (maps,) in enumerate(model.pts_bbox_head([bev])):
        outputs |= {f'{name}_{task}': value for name, value in maps.items()}
    return {name: value.cpu().numpy() for name, value in outputs.items()}


def positions(calibration: Calibration, index: int) -> list[Det3DDataSample]:
    """Samples with their place in sequences that begin with the scene."""
    return [
        Det3DDataSample(metainfo=dict(sequence=(f'car {car}', index), timestamp=float(time)))
        for car, time in enumerate(calibration.time)
    ]
