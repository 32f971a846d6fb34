from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip('mmdet3d')
from mmdet3d.structures import Det3DDataSample, LiDARInstance3DBoxes  # noqa: E402
from mmengine.registry import HOOKS  # noqa: E402
from mmengine.structures import InstanceData, PixelData  # noqa: E402

from hybrid_depth.bev.hooks import bev_visualization_hook  # noqa: E402
from hybrid_depth.bev.hooks.bev_visualization_hook import (  # noqa: E402
    BEVVisualizationHook,
    scene_of,
)
from hybrid_depth.geometry import CameraRig  # noqa: E402
from hybrid_depth.visualization import CLASS_COLORS
from tests.visualization.scene import CAMERAS, IMAGE_SIZE, rig_matrices  # noqa: E402

BOX = torch.tensor([[8.0, 0.0, -1.0, 4.0, 2.0, 1.5, 0.3, 0.0, 0.0]])


def make_runner() -> SimpleNamespace:
    dataset = SimpleNamespace(metainfo=dict(classes=tuple(CLASS_COLORS)))
    loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=dataset))
    return SimpleNamespace(test_loop=loop, val_loop=loop, epoch=3)


def make_batch(folder: Path, count: int, full: bool = True) -> tuple[dict, list[Det3DDataSample]]:
    """Arguments of a hook: collated inputs and the samples returned by ``predict``."""
    paths = [str(folder / f'{name}.png') for name in CAMERAS]
    for path in paths:
        Image.fromarray(np.full((*IMAGE_SIZE, 3), 90, np.uint8)).save(path)
    lidar_path = folder / 'sweep.bin'
    np.random.default_rng(0).normal(0, 9, (50, 5)).astype(np.float32).tofile(lidar_path)
    samples = []
    for index in range(count):
        sample = Det3DDataSample(
            metainfo=dict(
                sample_idx=index,
                token=f'token{index}',
                scene_token='scene',
                lidar2ego=np.eye(4),
                img_path=paths,
                cam_names=list(CAMERAS),
            )
        )
        sample.pred_instances_3d = InstanceData(
            bboxes_3d=LiDARInstance3DBoxes(BOX, box_dim=9),
            scores_3d=torch.tensor([0.8]),
            labels_3d=torch.tensor([0]),
        )
        sample.eval_ann_info = None
        if full:
            sample.set_metainfo(dict(lidar_path=str(lidar_path), num_pts_feats=5))
            sample.pred_depth = PixelData(data=torch.full((6, 3, 5), 20.0))
            sample.eval_ann_info = dict(
                gt_bboxes_3d=LiDARInstance3DBoxes(BOX, box_dim=9), gt_labels_3d=np.array([0])
            )
        samples.append(sample)
    rig = {name: [matrix] * count for name, matrix in rig_matrices().items()}
    return dict(inputs=dict(img=[torch.zeros(6, 3, *IMAGE_SIZE)] * count, rig=rig)), samples


@pytest.mark.parametrize('full', [True, False], ids=['all', 'boxes only'])
def test_writes_one_readable_image_per_sample(tmp_path, full):
    batch, samples = make_batch(tmp_path, 2, full)
    hook = HOOKS.build(
        dict(
            type='BEVVisualizationHook',
            out_dir=str(tmp_path / 'out'),
            score_thr=0.1,
            camera_width=160,
        )
    )
    hook.after_test_iter(make_runner(), 0, batch, samples)
    written = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert written == ['000000_token0.png', '000001_token1.png']
    visualization = np.asarray(Image.open(tmp_path / 'out' / written[0]))
    assert visualization.ndim == 3 and visualization.shape[1] > 3 * 160 and visualization.std() > 10


def test_boxes_and_points_are_brought_into_the_ego_frame(tmp_path):
    """The LiDAR is 1 m ahead of the ego origin, 2 m above it, and turned to the left by 90°."""
    _, (sample,) = make_batch(tmp_path, 1)
    lidar2ego = np.array([[0.0, -1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 2], [0, 0, 0, 1]])
    sample.set_metainfo(dict(lidar2ego=lidar2ego))
    scene = scene_of(sample, CameraRig.collate([rig_matrices()]), IMAGE_SIZE)
    for boxes in (scene.predicted, scene.true):
        (corners,) = boxes.corners
        np.testing.assert_allclose(corners.mean(0), [1, 8, 1.75], atol=1e-5)
        length = corners[4:].mean(0) - corners[:4].mean(0)
        np.testing.assert_allclose(length, [-4 * np.sin(0.3), 4 * np.cos(0.3), 0], atol=1e-5)
    x, y, z = np.fromfile(tmp_path / 'sweep.bin', np.float32).reshape(-1, 5)[:, :3].T
    np.testing.assert_allclose(scene.points, np.stack([1 - y, x, z + 2], 1), rtol=1e-6)


def test_options_reach_the_sheet(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        bev_visualization_hook,
        'make_sheet',
        lambda *_, **options: drawn.append(options) or np.zeros((2, 2, 3), np.uint8),
    )
    options = dict(score_thr=0.7, camera_width=99, reach=33.0, depth_range=(2.0, 20.0))
    batch, samples = make_batch(tmp_path, 1, full=False)
    hook = BEVVisualizationHook(str(tmp_path / 'out'), **options)
    hook.after_test_iter(make_runner(), 0, batch, samples)
    assert drawn == [options]


def test_interval_and_maximum(tmp_path):
    batch, samples = make_batch(tmp_path, 6, full=False)
    hook = BEVVisualizationHook(str(tmp_path / 'out'), interval=2, max_samples=2, camera_width=160)
    hook.after_test_iter(make_runner(), 0, batch, samples)
    written = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert written == ['000000_token0.png', '000002_token2.png']


@pytest.mark.parametrize('token', ['x/../../../evil', '/tmp/evil', '..', '', 'a\0b', 7])
def test_tokens_that_are_paths_stay_in_the_folder(tmp_path, token):
    batch, samples = make_batch(tmp_path, 1, full=False)
    samples[0].set_metainfo(dict(token=token))
    out = tmp_path / 'a' / 'b' / 'out'
    BEVVisualizationHook(str(out), camera_width=160).after_test_iter(
        make_runner(), 0, batch, samples
    )
    (path,) = (path for path in tmp_path.rglob('*.png') if path.parent != tmp_path)
    assert path.parent == out and path.name.startswith('000000_')


def test_validation_only_when_asked(tmp_path):
    batch, samples = make_batch(tmp_path, 1, full=False)
    for draw_val in (False, True):
        hook = BEVVisualizationHook(str(tmp_path / 'out'), draw_val=draw_val, camera_width=160)
        hook.after_val_iter(make_runner(), 0, batch, samples)
        assert (tmp_path / 'out').exists() == draw_val
    assert [path.parent.name for path in (tmp_path / 'out').rglob('*.png')] == ['epoch_3']


def test_a_failed_write_leaves_no_image(tmp_path, monkeypatch):
    batch, samples = make_batch(tmp_path, 1, full=False)
    monkeypatch.setattr(Image.Image, 'save', _save_half)
    hook = BEVVisualizationHook(str(tmp_path / 'out'), camera_width=160)
    with pytest.raises(OSError, match='disk full'):
        hook.after_test_iter(make_runner(), 0, batch, samples)
    assert list((tmp_path / 'out').iterdir()) == []


def _save_half(self, file, **kwargs):
    file.write(b'half')
    raise OSError('disk full')


def test_real_keyframe(real_keyframe, tmp_path):
    """The packed sample of the data set has all inputs of the hook."""
    packed = real_keyframe.packed
    sample = packed['data_samples'].clone()
    sample.pred_instances_3d = InstanceData(
        bboxes_3d=sample.eval_ann_info['gt_bboxes_3d'],
        scores_3d=torch.ones(len(sample.eval_ann_info['gt_labels_3d'])),
        labels_3d=torch.from_numpy(sample.eval_ann_info['gt_labels_3d']),
    )
    sample.pred_depth = PixelData(data=torch.full((6, 16, 44), 20.0))
    inputs = packed['inputs']
    rig = {name: [matrix] for name, matrix in inputs['rig'].items()}
    hook = BEVVisualizationHook(str(tmp_path))
    hook.after_test_iter(
        make_runner(), 0, dict(inputs=dict(img=[inputs['img']], rig=rig)), [sample]
    )
    (path,) = tmp_path.glob('000000_*.png')
    assert np.asarray(Image.open(path)).shape[1] > 2000
