"""DDAD: JSON files to samples with poses and LiDAR depth."""

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, TRANSFORMS, init_default_scope

from hybrid_depth.config_files import find_config
from hybrid_depth.datasets.ddad.dataset import FOUR_VIEWS, DDADDataset
from hybrid_depth.depth.transforms import LoadFrames, LoadLidarDepthMap, PackFrames, ResizeFrames
from hybrid_depth.errors import DepthDataError
from tests.datasets import dgp_files


@pytest.fixture
def root(tmp_path):
    return dgp_files.write(tmp_path)


def build(root, cameras=dgp_files.CAMERAS, **kwargs):
    return DDADDataset(data_root=str(root), cameras=cameras, **kwargs)


def test_frames_of_all_cameras_in_order_of_time(root):
    dataset = build(root)
    metas = [dataset[i]['meta'] for i in range(len(dataset))]
    assert [(m['side'], m['frame']) for m in metas] == [
        (camera, number) for camera in dgp_files.CAMERAS for number in range(3)
    ]
    assert len({m['name'] for m in metas}) == 6
    sample = dataset[1]
    assert sample['img_paths'] == {0: str(root / 'scene_01/rgb/CAMERA_01/00000000000000001.jpg')}
    assert sample['cam2img'].tolist() == [[50, 0, 31], [0, 50, 19], [0, 0, 1]]
    np.testing.assert_allclose(sample['cam2ego'][:3, :3], dgp_files.FORWARD, atol=1e-12)
    assert sample['cam2ego'][2, 3] == dgp_files.HEIGHT


def test_motion_of_the_camera(root):
    """Straight ahead: for the front camera along its z axis, for the left one along its x axis."""
    dataset = build(root, frame_ids=(0, -1, 1), ego_motion=True)
    assert [dataset[i]['meta']['frame'] for i in range(len(dataset))] == [1, 1]
    for sample, axis in zip((dataset[0], dataset[1]), (2, 0), strict=True):
        for frame_id in (-1, 1):
            moved = np.eye(4)
            moved[axis, 3] = -frame_id * dgp_files.STEP
            np.testing.assert_allclose(sample['transforms'][frame_id], moved, atol=1e-9)
    copied = build(root, frame_ids=(0, 1), ego_motion=True, missing_neighbours='repeat')
    assert np.array_equal(copied[2]['transforms'][1], np.eye(4))


def test_lidar_depth_is_that_of_the_moment_of_the_image(root):
    """The wall is 10 m before the first sweep; the image is taken half a step later. The left
    camera does not see it."""
    dataset = build(root, pipeline=[LoadFrames(), LoadLidarDepthMap()])
    for number in range(3):
        depth = dataset[number]['depth_maps']['gt_depth']
        assert depth.shape == dgp_files.SIZE[::-1] and (depth > 0).sum() > 200
        distance = 10 - (number + 0.5) * dgp_files.STEP
        np.testing.assert_allclose(depth[depth > 0], distance, rtol=1e-6)
        # points from the LiDAR's height to 3 m above it
        rows = np.nonzero(depth)[0]
        for row, z in ((rows.max(), 0), (rows.min(), 3)):
            expected = dgp_files.CENTRE[1] + dgp_files.FOCAL * (dgp_files.HEIGHT - z) / distance
            assert row == pytest.approx(expected, abs=0.51)
    assert not dataset[3]['depth_maps']['gt_depth'].any()


def test_items(root):
    transforms = [LoadFrames(), LoadLidarDepthMap(), ResizeFrames((32, 20)), PackFrames()]
    inputs = build(root, pipeline=transforms)[0]['inputs']
    assert inputs['gt_depth'].shape == (1, 20, 32) and inputs['images'][0].shape == (3, 20, 32)


def _no_pose(root):
    dgp_files.edit(
        dgp_files.scene_file(root), lambda scene: scene['data'][1]['datum']['image'].pop('pose')
    )


def _zero_quaternion(root):
    def change(scene):
        scene['data'][1]['datum']['image']['pose']['rotation'] = dict(qw=0, qx=0, qy=0, qz=0)

    dgp_files.edit(dgp_files.scene_file(root), change)


def _not_finite(root):
    def change(scene):
        scene['data'][1]['datum']['image']['pose']['translation']['x'] = float('nan')

    dgp_files.edit(dgp_files.scene_file(root), change)


def _damaged(root):
    dgp_files.scene_file(root).write_text('{"samples": [')


def _list(root):
    dgp_files.dump(dgp_files.scene_file(root), [1, 2])


def _no_splits(root):
    dgp_files.dump(root / dgp_files.INDEX, dict(scenes=[]))


def _strange_key(root):
    dgp_files.edit(
        dgp_files.scene_file(root), lambda scene: scene['samples'][0]['datum_keys'].append('x')
    )


def _uncalibrated(root):
    path = root / 'scene_01' / 'calibration' / 'c.json'
    dgp_files.edit(path, lambda content: content['names'].remove('CAMERA_05'))


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (_no_pose, 'scene.json: expected a file of the DGP format.*pose'),
        (_zero_quaternion, 'scene.json: .*quaternion'),
        (_not_finite, 'scene.json: .*position in metres'),
        (_damaged, 'scene.json: expected JSON'),
        (_list, 'scene.json: expected a file of the DGP format'),
        (_no_splits, 'ddad.json: expected a file of the DGP format.*scene_splits'),
        (_strange_key, 'scene.json: expected a file of the DGP format'),
        (_uncalibrated, 'scene.json: .*CAMERA_05'),
    ],
)
def test_bad_files_are_named(root, spoil, message):
    spoil(root)
    with pytest.raises(DepthDataError, match=message):
        build(root)


def test_wrong_arguments_and_missing_files(root):
    with pytest.raises(DepthDataError, match="split among train, val.*'mini'"):
        build(root, split='mini')
    with pytest.raises(DepthDataError, match=r"scenes of split val, got splits \['train'\]"):
        build(root, split='val')
    with pytest.raises(DepthDataError, match=r"\['CAMERA_06', 'CAMERA_09'\], the scene has"):
        build(root, cameras=FOUR_VIEWS)
    with pytest.raises(DepthDataError, match='no stereo pairs'):
        build(root, frame_ids=(0, 's'))[0]
    with pytest.raises(FileNotFoundError, match='other.json.*scene_dataset'):
        build(root, scene_dataset='other.json')
    (root / 'scene_01/rgb/CAMERA_01/00000000000000001.jpg').unlink()
    with pytest.raises(FileNotFoundError, match='expected 6 frames, got 5'):
        build(root).full_init()


@pytest.mark.parametrize('split', ['train', 'test'])
def test_config_of_the_data_set_builds(split):
    init_default_scope('mmengine')
    loader = Config.fromfile(find_config('_base_/datasets/ddad.py'))[f'{split}_dataloader']
    assert DATASETS.get(loader.dataset.type) is DDADDataset
    for transform in loader.dataset.pipeline:
        TRANSFORMS.build(transform)


def test_real_scene(real_data):
    """Three cameras and moments; the depth of the LiDAR covers 0.2 to 0.5 % of the pixels, and is
    nearer below the horizon, row cy, than above it."""
    cameras = ('CAMERA_01', 'CAMERA_05', 'CAMERA_06')
    dataset = DDADDataset(
        data_root=str(real_data / 'ddad_scene'),
        scene_dataset='scene_dataset_v1.0.json',
        split='val',
        cameras=cameras,
        pipeline=[LoadFrames(), LoadLidarDepthMap()],
    )
    assert len(dataset) == 9
    for number in range(0, 9, 3):
        sample = dataset[number]
        depth = sample['depth_maps']['gt_depth']
        assert depth.shape == (1216, 1936)
        assert 0.001 < (depth > 0).mean() < 0.01
        horizon = int(sample['cam2img'][1, 2])
        below, above = depth[horizon + 200 :], depth[: horizon - 50]
        assert np.median(below[below > 0]) < np.median(above[above > 0]) - 5
