"""Visual odometry errors against loops over frames with a numerical search for the scale."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.spatial.transform import Rotation

from hybrid_depth.depth.evaluation.pose_metrics import (
    chained_positions,
    motions_of,
    poses_of,
    read_motions,
    read_poses,
    score_poses,
    snippet_errors,
    trajectory_errors,
)
from hybrid_depth.errors import DepthDataError
from hybrid_depth.geometry.poses import Motion
from tests.golden.monodepth2 import values
from tests.golden.reader import Golden


def drive(frames: int = 9, seed: int = 0) -> np.ndarray:
    """(N, 4, 4) poses camera -> world of a winding drive."""
    rng = np.random.default_rng(seed)
    poses = [np.eye(4)]
    for _ in range(frames - 1):
        move = np.eye(4)
        move[:3, :3] = Rotation.from_rotvec(rng.normal(0, 0.2, 3)).as_matrix()
        move[:3, 3] = rng.normal(1, 0.3, 3)
        poses.append(poses[-1] @ move)
    return np.stack(poses)


def write_poses(poses: np.ndarray, path) -> None:
    np.savetxt(path, poses[:, :3].reshape(-1, 12))


def errors_by_search(predicted: np.ndarray, truth: np.ndarray, frames: int) -> list[float]:
    """Errors by definition, frame by frame, with a numerical search for the scale."""
    found = []
    for start in range(len(truth)):
        tracks = []
        for motions in (predicted, truth):
            rotation, position = np.eye(3), np.zeros(3)
            track = [position]
            for motion in motions[start : start + frames - 1]:
                position = position + rotation @ motion[:3, 3]
                rotation = rotation @ motion[:3, :3]
                track.append(position)
            tracks.append(np.array(track))
        ours, theirs = tracks
        best = minimize_scalar(lambda scale: ((scale * ours - theirs) ** 2).sum())  # noqa: B023
        found.append(np.sqrt(best.fun) / len(theirs))
    return found


@pytest.mark.parametrize('frames', [2, 3, 5])
def test_snippets_are_aligned_in_scale(frames):
    predicted, truth = motions_of(drive(seed=1)), motions_of(drive())
    errors = snippet_errors(predicted, truth, frames)
    np.testing.assert_allclose(errors, errors_by_search(predicted, truth, frames), atol=1e-6)
    assert errors.min() > 0.01
    predicted[:, :3, 3] *= 7.0
    np.testing.assert_allclose(snippet_errors(predicted, truth, frames), errors)
    standing = np.tile(np.eye(4), (len(truth), 1, 1))
    assert np.isfinite(snippet_errors(standing, truth, frames)).all()


def test_motions_transform_points_to_the_next_frame():
    poses, point = drive(), np.array([3.0, -2, 20, 1])
    seen = [np.linalg.solve(pose, point) for pose in poses]
    for motion, now, later in zip(motions_of(poses), seen[:-1], seen[1:], strict=True):
        np.testing.assert_allclose(motion @ now, later)
    np.testing.assert_allclose(poses_of(motions_of(poses)), poses, atol=1e-12)


def test_positions_are_chained_in_the_order_of_the_motions():
    """Quarter turn to the left about z with a step along x, twice: up, then to the left of it."""
    turn = np.array([[0.0, -1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    positions = chained_positions(np.stack([turn, turn]))
    np.testing.assert_allclose(positions, [[0, 0, 0], [1, 0, 0], [1, 1, 0]])


def test_files_of_poses_and_of_motions(tmp_path):
    poses = drive()
    write_poses(poses, tmp_path / '09.txt')
    np.testing.assert_allclose(read_poses(tmp_path / '09.txt'), poses)
    np.testing.assert_allclose(read_motions(tmp_path / '09.txt'), motions_of(poses), atol=1e-12)
    np.save(tmp_path / 'motions.npy', motions_of(poses))
    np.testing.assert_array_equal(read_motions(tmp_path / 'motions.npy'), motions_of(poses))


def test_score_of_files(tmp_path):
    truth, predicted = drive(), drive(seed=1)
    write_poses(truth, tmp_path / '09.txt')
    np.save(tmp_path / 'motions.npy', motions_of(predicted))
    result = score_poses(tmp_path / 'motions.npy', tmp_path / '09.txt', frames=3)
    errors = errors_by_search(motions_of(predicted), motions_of(truth), 3)
    assert result['ate_mean'] == pytest.approx(np.mean(errors), rel=1e-5)
    assert result['ate_std'] == pytest.approx(np.std(errors), rel=1e-5)
    assert result['motions'] == 8 and result['protocol'] == 'kitti_odometry_3_frames'


def test_trajectory_after_a_similarity_alignment():
    pytest.importorskip('evo')
    truth = motions_of(drive(40))
    scaled = truth.copy()
    scaled[:, :3, 3] /= 4
    errors = trajectory_errors(scaled, truth)
    assert errors['scale'] == pytest.approx(4)
    for name in ('ate', 'rpe_translation', 'rpe_rotation'):
        assert errors[name] == pytest.approx(0, abs=1e-5)
    assert trajectory_errors(motions_of(drive(40, seed=1)), truth)['ate'] > 0.1


@pytest.mark.parametrize(
    ('rows', 'message'),
    [
        ([[1.0] * 11], 'got 11'),
        ([[2.0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0]], 'expected a rotation'),
    ],
)
def test_other_numbers_are_rejected(tmp_path, rows, message):
    np.savetxt(tmp_path / 'bad.txt', rows)
    with pytest.raises(DepthDataError, match=message):
        read_poses(tmp_path / 'bad.txt')


def test_mismatched_inputs_are_rejected(tmp_path):
    truth = motions_of(drive())
    with pytest.raises(DepthDataError, match='N frames have N - 1 motions'):
        snippet_errors(truth[1:], truth)
    with pytest.raises(DepthDataError, match='at least 2 frames'):
        snippet_errors(truth, truth, frames=1)
    np.save(tmp_path / 'flat.npy', truth[:, :3])
    with pytest.raises(DepthDataError, match=r'\(8, 3, 4\)'):
        read_motions(tmp_path / 'flat.npy')
    with pytest.raises(FileNotFoundError, match='absent.txt'):
        read_poses(tmp_path / 'absent.txt')


EVALUATION = Golden('monodepth2_eval')
SHAPE = (12, 1, 3)


def golden_motions(axis_angle, translation) -> np.ndarray:
    return Motion(axis_angle[:, 0], translation[:, 0]).matrix().numpy()


def test_golden_odometry():
    turns, shifts = values('odom.axisangle', SHAPE), values('odom.translation', SHAPE)
    truth = golden_motions(0.05 * turns, shifts)
    predicted = golden_motions(
        0.05 * (turns + 0.1 * values('odom.pred.axisangle', SHAPE)),
        0.3 * shifts + 0.05 * values('odom.pred.translation', SHAPE),
    )
    EVALUATION.check('odom.xyz', chained_positions(truth), 1e-6)
    EVALUATION.check('odom.ate', snippet_errors(predicted, truth), 1e-5)
