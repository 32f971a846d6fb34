"""Calibration of a depth model's scale for the cameras of a vehicle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ..checkpoints import load_checkpoint_file
from ..datasets.calibrated_frames import Clip
from ..datasets.image_files import image_size
from ..depth.estimators import DepthEstimator
from ..depth.estimators.calibrated import META_KEY, CalibratedDepth, model_name
from ..errors import ConfigError
from ..files import atomic_file
from ..geometry.depth_calibration import (
    CalibrationForm,
    DepthCalibration,
    fit_depth_calibration,
)
from .depth import stream_depth

Measure = Callable[[Clip, int, np.ndarray, 'np.ndarray | None'], np.ndarray]
Labels = Callable[[Path, tuple[int, int]], np.ndarray]
_SAME_FOCAL = 0.02
_TRAINING = ('optimizer', 'message_hub', 'param_schedulers', 'ema_state_dict')


def calibrate(
    model: DepthEstimator,
    clips: Sequence[Clip],
    measure: Measure,
    form: CalibrationForm = 'scale',
    labels: Labels | None = None,
    size: tuple[int, int] | None = None,
    every: int = 1,
) -> list[DepthCalibration]:
    """Calibrate a depth model by distances that are known without LiDAR.

    Args:
        model: from `init_depth_model`, of any kind of depth.
        clips: frames of the cameras of one vehicle.
        measure: `GroundHeight()`, `VehicleMotion()` or `MeasuredPoints(FILE)`.
        form: see `DepthCalibration`.
        labels: train ids (H, W) of an image and its (width, height); None if unknown.
        size: (H, W) of the network input; None as of `infer_depth`.
        every: use every n-th frame of a clip.

    Returns:
        One calibration per focal length of the cameras.

    Raises:
        ConfigError: the model is calibrated already.
        DepthDataError: too few known distances (see `fit_depth_calibration`).

    Example:
        >>> import tempfile
        >>> from mmengine.config import Config
        >>> from PIL import Image
        >>> from hybrid_depth.datasets.calibrated_frames import folder_clips
        >>> from hybrid_depth.depth.estimators.init import init_depth_model
        >>> from hybrid_depth.geometry import GroundPlane
        >>> from hybrid_depth.inference.known_distances import MeasuredPoints
        >>> encoder = dict(type='TimmDepthEncoder', name='test_resnet')
        >>> decoder = dict(type='Monodepth2Decoder', in_strides=[2, 4, 8, 16, 32])
        >>> model = dict(type='Monodepth2', encoder=encoder, decoder=decoder, pose_net=None)
        >>> model = init_depth_model(Config(dict(model=model)))  # warns: random weights
        >>> plane, folder = GroundPlane.from_angles(1.6), tempfile.mkdtemp()
        >>> Image.new('RGB', (96, 64)).save(f'{folder}/a.png')
        >>> _ = Path(folder, 'points.csv').write_text('image,u,v,metres\\na.png,48,60,4.5')
        >>> clips = folder_clips(folder, plane, (70, 70, 48, 32))
        >>> (found,) = calibrate(model, clips, MeasuredPoints(f'{folder}/points.csv'))
        >>> found.near, found.images, found.heights
        (4.5, 1, (1.6, 1.6))
    """
    if isinstance(model, CalibratedDepth):
        raise ConfigError(
            'expected a model without calibration, got one of a calibrated checkpoint; calibrate '
            'the checkpoint that it was made from'
        )
    groups: list[list] = []
    for clip in sorted(clips, key=_focal):
        if not groups or _focal(clip) > _focal(groups[-1][0]) * (1 + _SAME_FOCAL):
            groups.append([])
        groups[-1].append(clip)
    return [_calibrate(model, group, measure, form, labels, size, every) for group in groups]


def _calibrate(model, clips, measure, form, labels, size, every) -> DepthCalibration:
    """Calibration for cameras of one focal length."""
    depths, distances = [], []
    for clip in clips:
        for index, depth in _predicted(model, clip, size, every):
            known = None if labels is None else labels(clip[index].image, depth.shape[::-1])
            metres = measure(clip, index, depth, known)
            depths.append(depth[metres > 0])
            distances.append(metres[metres > 0])
    heights = [float(clip[0].plane.height) for clip in clips]
    heights = (min(heights), max(heights)) if np.isfinite(heights).all() else None
    focal = float(np.median([_focal(clip) for clip in clips]))
    return fit_depth_calibration(depths, distances, focal, measure.name, form, heights)


def _predicted(model, clip: Clip, size, every: int) -> Iterator[tuple[int, np.ndarray]]:
    """Every n-th frame of a clip: its index and depth (H, W) of the model."""
    chosen = range(0, len(clip), every)
    shown = chosen if len(model.frames) == 1 else range(len(clip))  # with its neighbours
    paths = [clip[index].image for index in shown]
    results = stream_depth(model, paths, size, cam2img=clip[0].cam2img)
    for index, result in zip(shown, tqdm(results, total=len(shown), unit='image'), strict=True):
        if index in chosen:
            yield index, result.depth.astype(np.float64)


def _focal(clip: Clip) -> float:
    """Focal length over the image width."""
    return float(clip[0].cam2img[0, 0] / image_size(clip[0].image)[0])


def write_calibrated(
    model: DepthEstimator,
    checkpoint: str | Path | None,
    calibrations: Iterable[DepthCalibration],
    out: str | Path,
) -> None:
    """Write a checkpoint with calibrations, of which `init_depth_model` makes a `CalibratedDepth`.

    Args:
        model: that was calibrated.
        checkpoint: its weights; None for a model with `weights_by_name`.
        calibrations: from `calibrate`.
        out: checkpoint to write, without the state of a training.

    Example:
        >>> import tempfile
        >>> model = torch.nn.Linear(1, 1)
        >>> model.weights_by_name = False
        >>> folder = tempfile.mkdtemp()
        >>> torch.save(model.state_dict(), f'{folder}/w.pth')
        >>> points = np.array([1.0, 2.0])
        >>> found = fit_depth_calibration([points], [5 * points], focal=0.6, method='tape')
        >>> write_calibrated(model, f'{folder}/w.pth', [found], f'{folder}/metric.pth')
        >>> content = torch.load(f'{folder}/metric.pth', weights_only=True)
        >>> round(content['meta']['depth_calibration']['cameras'][0]['gain'], 3)
        5.0
    """
    content = {'state_dict': {}} if checkpoint is None else load_checkpoint_file(checkpoint)
    if all(map(torch.is_tensor, content.values())):
        content = {'state_dict': content}
    content = {key: value for key, value in content.items() if key not in _TRAINING}
    entry = dict(model=model_name(model), cameras=[x.as_dict() for x in calibrations])
    content['meta'] = {**content.get('meta', {}), META_KEY: entry}
    with atomic_file(out) as file:
        torch.save(content, file)
