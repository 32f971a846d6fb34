import numpy as np
import pytest
import torch

from hybrid_depth.visualization import SceneBoxes, project_points, project_wires

from .scene import IMAGE_SIZE, cuboid, make_boxes, make_rig

# The devkit's corners (front face first) in the order of mmdet3d's.
DEVKIT_CORNERS = [6, 5, 4, 7, 2, 1, 0, 3]


def front_camera() -> np.ndarray:
    return make_rig().ego2img()[0, 1].numpy()


def test_point_on_the_optical_axis_is_the_principal_point():
    pixels, depth = project_points(np.array([[10.0, 0, 0], [10.0, 1, -0.5]]), front_camera())
    np.testing.assert_allclose(pixels, [[80, 45], [68, 51]])
    np.testing.assert_allclose(depth, [10, 10])


def test_wires_are_clipped_at_the_near_plane():
    """Without clipping, corners behind the camera are mirrored and lines cross the image."""
    boxes = make_boxes([(0.0, -3.0, 0.0)], [0])  # beside the camera: half ahead, half behind
    segments, owner = project_wires(boxes.wires(), front_camera(), (2000, 4000))
    assert len(segments) and (owner == 0).all()
    # Points ahead and to the right project right of the principal point.
    assert (segments[..., 0] > 80).all()


def test_boxes_behind_are_not_drawn():
    boxes = make_boxes([(-9.0, 0.0, 0.0), (9.0, 0.0, 0.0)], [0, 1])
    assert set(project_wires(boxes.wires(), front_camera(), IMAGE_SIZE)[1]) == {1}
    nothing = project_wires(SceneBoxes.empty().wires(), front_camera(), IMAGE_SIZE)
    assert nothing[0].shape == (0, 2, 2) and nothing[1].shape == (0,)


def test_heading_points_forward():
    (start, end), *_ = make_boxes([(10.0, 2.0, 0.0)], [0]).headings()
    np.testing.assert_allclose(start, [10, 2, -0.75])
    np.testing.assert_allclose(end, [12, 2, -0.75])


def test_above_keeps_the_best_in_ascending_order():
    boxes = make_boxes([(5.0, 0, 0), (6.0, 0, 0), (7.0, 0, 0)], [0, 1, 2], [0.9, 0.1, 0.5])
    assert boxes.above(0.5).labels.tolist() == [2, 0]


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r'expected corners \(2, 8, 3\)'):
        SceneBoxes(cuboid((0, 0, 0))[None], np.array([0, 1]))
    with pytest.raises(ValueError, match='expected 2 scores, one per label, got 1'):
        make_boxes([(0.0, 0, 0)] * 2, [0, 1], [0.5])


def test_mmdet3d_boxes():
    structures = pytest.importorskip('mmdet3d.structures')
    boxes = structures.LiDARInstance3DBoxes(
        torch.tensor([[10.0, 2.0, 0.25, 4.0, 2.0, 1.5, 0.0], [0, 0, 0, 1, 1, 1, 0.0]])
    )  # z is that of the bottom
    scene = SceneBoxes.from_ego(boxes, np.array([3, -1]), torch.tensor([0.5, 0.6]))
    assert scene.labels.tolist() == [3]
    np.testing.assert_allclose(scene.scores, [0.5])
    np.testing.assert_allclose(scene.corners[0], cuboid((10, 2, 1)), atol=1e-6)


def test_real_keyframe_agrees_with_the_devkit(real_keyframe):
    """From the info file's boxes to pixels, against the devkit's Box and view_points."""
    view_points = pytest.importorskip('nuscenes.utils.geometry_utils').view_points
    ours, compared = real_keyframe.true, 0
    for camera, name in enumerate(real_keyframe.cam_names):
        intrinsic, devkit_boxes = real_keyframe.devkit_boxes(name)
        cam2ego = real_keyframe.rig.cam2ego[0, camera].numpy()
        ego2img = real_keyframe.full_size_rig().ego2img()[0, camera].numpy()
        for box in devkit_boxes:
            corners = box.corners()[:, DEVKIT_CORNERS]
            expected = corners.T @ cam2ego[:3, :3].T + cam2ego[:3, 3]
            distance = np.linalg.norm(ours.corners.mean(1) - expected.mean(0), axis=1)
            match = distance.argmin()
            if distance[match] > 0.01 or corners[2].min() < 1:
                continue  # a box without a class or a LiDAR point, or one that reaches behind
            compared += 1

            pixels = view_points(corners, intrinsic, normalize=True)[:2].T
            np.testing.assert_allclose(project_points(expected, ego2img)[0], pixels, atol=0.01)
            # These boxes are upright in the ego frame, the devkit's in the world: 1.4 degrees.
            tilt = np.radians(1.4) * np.linalg.norm(box.wlh) / 2
            assert np.abs(ours.corners[match] - expected).max() < tilt + 0.005
    assert compared > 70


def test_correct_boxes_by_hand():
    """Best first; each truth is taken once; other classes and 2 m or more do not count."""
    true = make_boxes([(0.0, 0, 0), (10.0, 0, 0), (20.0, 0, 0)], [0, 0, 1])
    predicted = make_boxes(
        [(0.5, 0, 0), (0.2, 0, 0), (11.9, 0, 0), (12.1, 0, 0), (20.0, 0, 9.0), (20.0, 0, 0)],
        [0, 0, 0, 0, 1, 0],
        [0.9, 0.8, 0.5, 0.7, 0.3, 0.2],
    )
    matched = predicted.matched(true)
    # the better one takes the truth, though the other is nearer; height is no matter
    assert matched.correct.tolist() == [True, False, True, False, True, False]
    assert matched.false_positives().tolist() == [False, True, False, True, False, True]
    assert matched.above(0.6).correct.tolist() == [False, False, True]
    assert not predicted.false_positives().any()
    assert not predicted.matched(make_boxes([], [])).correct.any()


def test_correct_boxes_equal_those_of_the_metric():
    """On random boxes: `match_by_distance`, which scores detections."""
    pytest.importorskip('mmdet3d')
    from hybrid_depth.bev.evaluation.detection_boxes import DetectionBoxes
    from hybrid_depth.bev.evaluation.detection_matching import match_by_distance

    def detection(boxes: SceneBoxes) -> DetectionBoxes:
        count = len(boxes)
        return DetectionBoxes(
            sample=np.zeros(count, int),
            label=boxes.labels,
            centre=boxes.corners.mean(1),
            size=np.ones((count, 3)),
            rotation=np.tile([1.0, 0, 0, 0], (count, 1)),
            velocity=np.zeros((count, 2)),
            attribute=np.full(count, -1),
            score=np.zeros(count) if boxes.scores is None else boxes.scores,
        )

    generator = np.random.default_rng(0)
    true = make_boxes(generator.uniform(0, 12, (30, 3)), [0] * 30)
    predicted = make_boxes(generator.uniform(0, 12, (60, 3)), [0] * 60, generator.random(60))
    order = np.argsort(-predicted.scores)
    matches = match_by_distance(detection(true), detection(predicted)[order], [2.0])[0]
    correct = predicted.matched(true).correct
    assert np.array_equal(correct[order], matches >= 0) and 0 < correct.sum() < 30
