"""Visual odometry metrics: 5-frame errors as in Monodepth2, and whole-trajectory errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...calibration_checks import check_rigid
from ...errors import DepthDataError
from ...text_files import read_text
from .files import load_arrays


def read_poses(path: str | Path) -> np.ndarray:
    """Read poses of KITTI odometry: 12 numbers per line, camera → world, row-major.

    Returns:
        (N, 4, 4) float64.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: not 12 numbers per line, or matrices that are not rigid motions.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'expected poses {path}, which does not exist')
    try:
        rows = np.loadtxt(read_text(path).splitlines(), ndmin=2)
    except ValueError as error:
        raise DepthDataError(f'{path}: expected 12 numbers per line, got {error}') from error
    if rows.shape[1] != 12:
        raise DepthDataError(f'{path}: expected 12 numbers per line, got {rows.shape[1]}')
    bottom = np.tile([0, 0, 0, 1.0], (len(rows), 1, 1))
    return _checked(np.concatenate([rows.reshape(-1, 3, 4), bottom], axis=1), str(path))


def _checked(matrices: np.ndarray, source: str) -> np.ndarray:
    """Matrices (N, 4, 4), checked to be rigid motions."""
    if matrices.ndim != 3 or matrices.shape[1:] != (4, 4):
        raise DepthDataError(f'{source}: expected matrices (N, 4, 4), got {matrices.shape}')
    return check_rigid(matrices, source)


def read_motions(path: str | Path) -> np.ndarray:
    """Read motions between consecutive frames.

    Args:
        path: .npy with (N, 4, 4) motions, frame i's points → frame i + 1 (a pose net's prediction
            for the pair i, i + 1); or a text file of poses, see `read_poses`.

    Returns:
        (N, 4, 4) float64.

    Raises:
        FileNotFoundError, DepthDataError: see `read_poses`.
    """
    if Path(path).suffix != '.npy':
        return motions_of(read_poses(path))
    if not Path(path).is_file():
        raise FileNotFoundError(f'expected a file of motions, got {path}, which does not exist')
    (motions,) = load_arrays(Path(path)).values()
    return _checked(motions, str(path))


def motions_of(poses: np.ndarray) -> np.ndarray:
    """Motions (N - 1, 4, 4), frame i's points → frame i + 1, from poses (N, 4, 4) to the world."""
    return np.linalg.inv(poses[1:]) @ poses[:-1]


def poses_of(motions: np.ndarray) -> np.ndarray:
    """Poses (N + 1, 4, 4) camera → first camera, from motions as of `motions_of`."""
    poses = [np.eye(4)]
    for motion in motions:
        poses.append(poses[-1] @ np.linalg.inv(motion))
    return np.stack(poses)


def chained_positions(motions: np.ndarray) -> np.ndarray:
    """Positions (N + 1, 3) by chaining motions in order, as in Monodepth2's odometry metric."""
    position, positions = np.eye(4), [np.zeros(3)]
    for motion in motions:
        position = position @ motion
        positions.append(position[:3, 3])
    return np.stack(positions)


def snippet_errors(predicted: np.ndarray, truth: np.ndarray, frames: int = 5) -> np.ndarray:
    """Error of every snippet of a few frames, first position and scale aligned (Zhou et al. 2017).

    Positions are chained motions; the error is the root of the sum of squared distances, divided by
    the number of frames. Snippets at the end are shorter, as in the release
    (docs/reference/depth_protocols.md, "Errors of motion").

    Args:
        predicted, truth: (N, 4, 4) motions, frame i's points → frame i + 1.
        frames: frames per snippet.

    Returns:
        (N,) in the unit of the ground truth.

    Raises:
        DepthDataError: the counts differ, or snippets of one frame.
    """
    if frames < 2:
        raise DepthDataError(f'expected snippets of at least 2 frames, got {frames}')
    if len(predicted) != len(truth) or not len(truth):
        raise DepthDataError(
            f'expected as many predicted as ground-truth motions, got {len(predicted)} and '
            f'{len(truth)}: N frames have N - 1 motions'
        )
    errors = []
    for start in range(len(truth)):
        part = slice(start, start + frames - 1)
        estimate, reference = chained_positions(predicted[part]), chained_positions(truth[part])
        scale = np.sum(reference * estimate) / max(np.sum(estimate**2), np.finfo(float).tiny)
        errors.append(np.linalg.norm(scale * estimate - reference) / len(reference))
    return np.array(errors)


def trajectory_errors(predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Trajectory errors by `evo`, after Sim(3) alignment (monocular depth has no scale).

    Args:
        predicted, truth: (N, 4, 4) motions, frame i's points → frame i + 1.

    Returns:
        ate: RMSE of positions; rpe_translation (unit of the ground truth, per frame) and
        rpe_rotation (degrees per frame): RMSE between neighbours; scale: of the alignment.

    Raises:
        ImportError: evo is not installed.
        DepthDataError: the counts differ.
    """
    try:
        from evo.core import metrics
        from evo.core.trajectory import PosePath3D
    except ImportError as error:
        raise ImportError(
            'trajectory errors need evo, which is optional: pip install evo, or omit --trajectory'
        ) from error
    if len(predicted) != len(truth):
        raise DepthDataError(
            f'expected as many predicted as ground-truth motions, got {len(predicted)} and '
            f'{len(truth)}'
        )
    estimate, reference = (PosePath3D(poses_se3=list(poses_of(m))) for m in (predicted, truth))
    scale = estimate.align(reference, correct_scale=True)[2]

    def rmse(metric: metrics.PE) -> float:
        metric.process_data((reference, estimate))
        return float(metric.get_statistic(metrics.StatisticsType.rmse))

    relation = metrics.PoseRelation
    return dict(
        ate=rmse(metrics.APE(relation.translation_part)),
        rpe_translation=rmse(metrics.RPE(relation.translation_part)),
        rpe_rotation=rmse(metrics.RPE(relation.rotation_angle_deg)),
        scale=float(scale),
    )


def score_poses(
    predicted: str | Path, truth: str | Path, frames: int = 5, trajectory: bool = False
) -> dict:
    """Evaluate a file of predicted motions or poses.

    Args:
        predicted: see `read_motions`.
        truth: poses of KITTI odometry.
        frames: frames per snippet.
        trajectory: also evaluate the whole trajectory.

    Returns:
        protocol, motions, ate_mean, ate_std (of `snippet_errors`), and `trajectory_errors`.

    Raises:
        FileNotFoundError, DepthDataError, ImportError: see the functions above.
    """
    estimate, reference = read_motions(predicted), motions_of(read_poses(truth))
    errors = snippet_errors(estimate, reference, frames)
    result = dict(
        protocol=f'kitti_odometry_{frames}_frames',
        prediction=str(predicted),
        truth=str(truth),
        motions=len(reference),
        ate_mean=float(errors.mean()),
        ate_std=float(errors.std()),
    )
    if trajectory:
        result['trajectory'] = trajectory_errors(estimate, reference)
    return result
