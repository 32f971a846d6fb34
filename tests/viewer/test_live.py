"""Predictions of a detector, computed while they are shown."""

import numpy as np
import pytest
import torch

pytest.importorskip('mmdet3d')
from hybrid_depth.apis import infer_bev, init_bev_model  # noqa: E402
from hybrid_depth.bev.structures import lidar_to_ego_boxes  # noqa: E402
from hybrid_depth.checkpoints.build import build_model  # noqa: E402
from hybrid_depth.engine.config import read_config  # noqa: E402
from hybrid_depth.info_files import read_infos  # noqa: E402
from hybrid_depth.viewer.key_frames import read_key_frames  # noqa: E402
from hybrid_depth.viewer.live import LiveRun  # noqa: E402
from hybrid_depth.viewer.runs import protocol_of  # noqa: E402
from tests.conftest import ROOT  # noqa: E402

CONFIG = ROOT / 'configs/toy/bevdet_plain_toy.py'


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp('live') / 'random.pth'
    torch.manual_seed(0)
    torch.save(dict(state_dict=build_model(read_config(CONFIG)).state_dict()), path)
    return path


def test_predictions_are_those_of_the_api(checkpoint, toy_infos, toy_nuscenes):
    infos = toy_infos / 'nuscenes_infos_val.pkl'
    content = read_infos(infos)
    frames = read_key_frames(content, toy_nuscenes, infos)
    protocol = protocol_of(content)
    run = LiveRun(CONFIG, checkpoint, 'cpu', infos, toy_nuscenes, content, protocol, 'a')
    found = run(frames[1])
    sample = infer_bev(init_bev_model(CONFIG, checkpoint), infos, 1, toy_nuscenes)
    expected = sample.pred_instances_3d
    ego = lidar_to_ego_boxes(expected.bboxes_3d, frames[1].lidar2ego).gravity_center.numpy()
    centres = ego @ frames[1].ego2global[:3, :3].T + frames[1].ego2global[:3, 3]
    near = [np.linalg.norm(centres - centre, axis=1).min() for centre in found.boxes.centre]
    assert 0 < len(found.boxes) <= len(expected.scores_3d) and max(near) < 1e-3

    assert [camera.name for camera, _ in found.depth] == sample.metainfo['cam_names']
    for (_, depth), values in zip(found.depth, sample.pred_depth.data.numpy(), strict=True):
        np.testing.assert_allclose(depth, values, rtol=1e-4)


def test_depth_maps_have_the_view_of_the_images(checkpoint, toy_infos, toy_nuscenes):
    """A corner of the network image is the same ray through map and image."""
    infos = toy_infos / 'nuscenes_infos_val.pkl'
    content = read_infos(infos)
    [frame, _] = read_key_frames(content, toy_nuscenes, infos)
    run = LiveRun(
        CONFIG, checkpoint, 'cpu', infos, toy_nuscenes, content, protocol_of(content), 'a'
    )
    packed = run._dataset[0]
    height, width = packed['inputs']['img'].shape[-2:]
    cameras = {camera.name: camera for camera in frame.cameras}
    for index, (camera, depth) in enumerate(run(frame).depth):
        rows, columns = depth.shape
        full = cameras[camera.name]
        np.testing.assert_allclose(camera.cam2ego, full.cam2ego, atol=1e-9)
        network2full = np.linalg.inv(packed['inputs']['rig']['img_aug'][index].numpy())
        for u, v in ((-0.5, -0.5), (width - 0.5, height - 0.5)):
            seen = np.linalg.solve(full.cam2img, network2full @ [u, v, 1])
            corner = [(u + 0.5) * columns / width - 0.5, (v + 0.5) * rows / height - 0.5, 1]
            np.testing.assert_allclose(np.linalg.solve(camera.cam2img, corner), seen, atol=1e-9)


def test_other_key_frames_have_no_prediction(checkpoint, toy_infos, toy_nuscenes):
    infos = toy_infos / 'nuscenes_infos_val.pkl'
    content = read_infos(infos)
    other = read_infos(toy_infos / 'nuscenes_infos_train.pkl')
    run = LiveRun(
        CONFIG, checkpoint, 'cpu', infos, toy_nuscenes, content, protocol_of(content), 'a'
    )
    assert run(read_key_frames(other, toy_nuscenes, infos)[0]) is None
