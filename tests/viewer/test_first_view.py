"""The picture of the first key frame: boxes and points are drawn where they are."""

import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('mmdet3d')

from hybrid_depth.bev.evaluation.detection_protocol import DetectionProtocol  # noqa: E402
from hybrid_depth.info_files import read_infos  # noqa: E402
from hybrid_depth.viewer.first_view import _ego_boxes, _small, draw_first_view  # noqa: E402
from hybrid_depth.viewer.key_frames import Camera, KeyFrame, read_key_frames  # noqa: E402
from hybrid_depth.viewer.runs import GroundTruth, protocol_of  # noqa: E402
from hybrid_depth.visualization.boxes import SceneBoxes  # noqa: E402
from tests.viewer.boxes import make_boxes  # noqa: E402


class Truth:
    """Ground truth of one key frame."""

    protocol = DetectionProtocol()

    def __init__(self, boxes):
        self._boxes = boxes

    def boxes(self, frame):
        return self._boxes


def frame_of(cameras: list[Camera], pose: np.ndarray) -> KeyFrame:
    return KeyFrame('t', 's', 0.0, cameras, pose, np.eye(4), None, 5)


def test_boxes_in_the_ego_frame():
    """A vehicle that looks along y of the global frame has two boxes 10 m ahead of it."""
    pose = np.eye(4)
    pose[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    pose[:3, 3] = 10, -10, 0
    global_boxes = make_boxes([10.0, 10.0], [0, 0])
    global_boxes.rotation[1] = np.sqrt(0.5), 0, 0, np.sqrt(0.5)  # looks along y
    boxes = _ego_boxes(frame_of([], pose), Truth(global_boxes))
    np.testing.assert_allclose(boxes.corners.mean(1), [[10, 0, 1]] * 2, atol=1e-9)
    np.testing.assert_allclose(np.ptp(boxes.corners, axis=1), [[2, 4, 1], [4, 2, 1]], atol=1e-9)
    headings = np.diff(boxes.headings(), axis=1)[:, 0]
    np.testing.assert_allclose(headings, [[0, -2, 0], [2, 0, 0]], atol=1e-9)
    assert isinstance(boxes, SceneBoxes) and not len(_ego_boxes(frame_of([], pose), Truth(None)))


def test_the_projection_fits_the_smaller_image(tmp_path):
    """A pixel on the border of two halves of a JPEG stays there."""
    pixels = np.zeros((180, 960, 3), np.uint8)
    pixels[:, 480:] = 255
    Image.fromarray(pixels).save(tmp_path / 'a.jpg', quality=95)
    cam2img = np.array([[500, 0, 479.5], [0, 500, 89.5], [0, 0, 1]])
    image, ego2img = _small(Camera('CAM', tmp_path / 'a.jpg', cam2img, np.eye(4)))
    assert image.shape == (90, 480, 3)
    u, v, w = ego2img @ [0, 0, 1, 1]
    np.testing.assert_allclose([u / w, v / w], [239.5, 44.5])
    assert image[:, :238].max() < 60 and image[:, 242:].min() > 195


def test_a_toy_key_frame(toy_infos, toy_nuscenes):
    content = read_infos(toy_infos / 'nuscenes_infos_val.pkl')
    frames = read_key_frames(content, toy_nuscenes, 'x')
    truth = GroundTruth(content, frames, protocol_of(content), 'x')
    with_boxes, without = (
        np.asarray(Image.open(io.BytesIO(draw_first_view(frames[0], t))), int)
        for t in (truth, Truth(None))
    )
    assert with_boxes.shape == (2 * 270 + 6 + 6 + 640, 3 * 480 + 12, 3)
    greener = (with_boxes - without) @ [-1, 2, -1] > 100
    cameras, bev = np.split(greener, [2 * 270 + 6])
    assert cameras.mean() > 1e-4 and bev.mean() > 1e-4
    assert not bev[:, 640:].any()


def test_an_absent_image_names_the_option(tmp_path):
    camera = Camera('CAM', tmp_path / 'a.jpg', np.eye(3), np.eye(4))
    with pytest.raises(FileNotFoundError, match='--root'):
        draw_first_view(frame_of([camera], np.eye(4)), Truth(None))
