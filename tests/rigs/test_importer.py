"""Info files of an own vehicle, compared with the simulator that made its images."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from hybrid_depth.datasets.calibrated_frames import info_clips
from hybrid_depth.datasets.image_files import image_size
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.rigs.importer import import_rig
from hybrid_depth.rigs.lens import Lens
from hybrid_depth.toy_world import open_toy_world
from hybrid_depth.toy_world.rig_layout import SENSORS
from hybrid_depth.toy_world.world import KEYFRAME_SECONDS
from tests.borders.refusal import refused
from tests.rigs.distortion import distorted, looked_up
from tests.rigs.real_vehicle import LENSES, write_vehicle


def read(path):
    return pickle.loads(path.read_bytes())


def test_cameras_poses_and_boxes_are_those_of_the_simulator(toy_vehicle, tmp_path):
    train, val = import_rig(toy_vehicle / 'rig.yaml', tmp_path)
    assert (train.samples, val.samples) == (3, 3) and train.boxes.keys() == {'vehicle', 'person'}
    content = read(train.path)
    meta, infos = content['metainfo'], content['data_list']
    assert meta['ranges'] == dict(vehicle=50, person=40) and meta['cameras'] == list(SENSORS)
    assert not meta['has_lidar'] and meta['has_poses'] and meta['has_velocities']
    _, world = open_toy_world(toy_vehicle)
    scene = world.scene(0)
    for frame, info in enumerate(infos):
        time = frame * KEYFRAME_SECONDS
        ego2world = scene.ego2world(time)
        assert np.allclose(info['ego2global'], ego2world, atol=1e-6)
        for name, sensor in SENSORS.items():
            image = info['images'][name]
            assert np.allclose(image['cam2img'], sensor.cam2img(world), atol=1e-6)
            cam2world = scene.ego2world(time + sensor.delay) @ sensor.cam2ego()
            # between poses at 20 Hz the simulator's path is not straight
            lidar2cam = np.linalg.inv(cam2world) @ ego2world
            assert np.allclose(image['lidar2cam'], lidar2cam, atol=2e-3)
            with Image.open(image['img_path']) as opened:
                assert opened.size == (image['width'], image['height'])
        boxes = scene.boxes(time)
        rows = np.array([item['bbox_3d'] for item in info['instances']])
        centres = rows[:, :3] @ ego2world[:3, :3].T + ego2world[:3, 3]
        distance = np.linalg.norm(centres[:, None] - boxes.centre, axis=2)
        nearest = distance.argmin(1)
        assert distance.min(1).max() < 1e-5
        assert np.allclose(rows[:, 3:6], boxes.size[nearest][:, [1, 0, 2]], atol=1e-5)
        yaw = rows[:, 6] + np.arctan2(ego2world[1, 0], ego2world[0, 0])
        assert np.allclose(np.cos(yaw - boxes.yaw[nearest]), 1, atol=1e-6)
        velocities = np.array([item['velocity'] for item in info['instances']])
        there = velocities @ ego2world[:2, :2].T
        assert np.allclose(there, boxes.velocity[nearest], atol=1e-5)
    assert [info['prev'] for info in infos] == ['', infos[0]['token'], infos[1]['token']]
    assert [info['next'] for info in infos] == [infos[1]['token'], infos[2]['token'], '']


def test_velocities_of_tracked_objects(rig):
    """Without vx and vy, by the object's positions: the simulator's, up to bends of its path."""
    truth = read(import_rig(rig.path)[0].path)['data_list']
    for drive in ('drive_00', 'drive_01'):
        path = rig.root / drive / 'boxes.csv'
        lines = [line.split(',') for line in path.read_text().splitlines()]
        path.write_text('\n'.join(','.join([*line[:9], line[11]]) for line in lines))
    found = read(import_rig(rig.path)[0].path)['data_list']
    checked = 0
    for before, after in zip(truth, found, strict=True):
        for item, other in zip(before['instances'], after['instances'], strict=True):
            if np.isfinite(other['velocity']).all():
                assert np.allclose(item['velocity'], other['velocity'], atol=0.7)
                checked += np.linalg.norm(item['velocity']) > 2
    assert checked > 5


def test_boxes_in_no_image_do_not_count(rig):
    """One camera ahead: boxes behind it are kept, and are not valid."""
    rig.content['cameras'] = {'nose': rig.content['cameras']['nose']}
    summary = import_rig(rig.write())[0]
    items = [item for info in read(summary.path)['data_list'] for item in info['instances']]
    behind = [item for item in items if item['bbox_3d'][0] < 0]
    assert behind and not any(item['bbox_3d_isvalid'] for item in behind)
    assert any(item['bbox_3d_isvalid'] for item in items)
    assert f'{summary.unseen} of them in no image' in str(summary)
    assert summary.unseen == sum(not item['bbox_3d_isvalid'] for item in items)


def test_without_poses_boxes_and_validation(rig):
    """Boxes of the vehicle's frame, and nothing of its motion: a fixed vehicle."""
    for key in ('poses', 'boxes', 'val', 'classes'):
        rig.content.pop(key)
    (summary,) = import_rig(rig.write())
    content = read(summary.path)
    assert summary.samples == 6 and not content['metainfo']['has_poses']
    assert all(np.array_equal(info['ego2global'], np.eye(4)) for info in content['data_list'])
    assert 'instances' not in content['data_list'][0]


def test_a_fraction_for_validation_is_the_end_of_every_drive(rig):
    train, val = import_rig(rig.write(val=0.3))
    assert (train.samples, val.samples) == (4, 2)
    assert [info['frame_idx'] for info in read(val.path)['data_list']] == [2, 2] or [
        info['scene_name'] for info in read(val.path)['data_list']
    ] == ['drive_00', 'drive_01']


def test_ground_below_the_origin_of_the_vehicle(rig):
    """Poses given from the rear axle, 0.4 m above the road: the same info files."""
    reference = read(import_rig(rig.path)[0].path)['data_list'][1]
    for camera in rig.content['cameras'].values():
        camera['position'][2] -= 0.4
    path = rig.root / 'drive_00/poses.txt'
    rows = np.loadtxt(path)
    rows[:, 3] += 0.4
    np.savetxt(path, rows, fmt='%.9f')
    shifted = read(import_rig(rig.write(ground=-0.4))[0].path)['data_list'][1]
    assert np.allclose(shifted['ego2global'], reference['ego2global'], atol=1e-6)
    for name in SENSORS:
        for key in ('cam2ego', 'lidar2cam'):
            assert np.allclose(shifted['images'][name][key], reference['images'][name][key])
    assert np.allclose(
        [item['bbox_3d'] for item in shifted['instances']],
        [item['bbox_3d'] for item in reference['instances']],
        atol=1e-6,
    )


def test_missing_frames_are_counted_and_named(rig):
    sorted((rig.root / 'drive_00/right').iterdir())[1].unlink()
    train, _ = import_rig(rig.path)
    assert train.samples == 2 and '1 without an image of right within' in str(train)


def test_distorted_images_are_undistorted_once(rig):
    rig.camera['distortion'] = dict(radial=[-0.2, 0.03, 0, 0, 0])
    summary = import_rig(rig.write())[0]
    image = read(summary.path)['data_list'][0]['images']['left']
    path = rig.root / image['img_path']
    assert path.parent == rig.root / 'undistorted/drive_00/left'
    with Image.open(path) as opened:
        assert opened.size == (image['width'], image['height'])
    assert 'undistorted' not in read(summary.path)['data_list'][0]['images']['nose']['img_path']
    first = path.stat().st_mtime_ns
    import_rig(rig.path)
    assert path.stat().st_mtime_ns == first
    rig.camera['distortion'] = dict(radial=[-0.1, 0.03, 0, 0, 0])
    import_rig(rig.write())
    assert path.stat().st_mtime_ns != first


@pytest.mark.parametrize(
    'lens',
    [
        Lens('radial', (-0.2, 0.03, 0.001, -0.002, 0.0)),
        Lens('fisheye', (-0.03, 0.01, -0.004, 0.001)),
    ],
    ids=lambda lens: lens.model,
)
def test_images_of_another_lens_show_what_those_of_the_pinhole_camera_do(lens, rig):
    """The undistorted images and their matrix, against the images from before the distortion."""
    focal, _, *centre = rig.camera['matrix']
    matrix = np.array([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1.0]])
    originals = {}
    for path in (rig.root / 'drive_00/left').iterdir():
        originals[path.stem] = np.asarray(Image.open(path))
        # the toy camera is wide: a third of it, enlarged
        image, turned = distorted(originals[path.stem], matrix, lens, longer=2.0)
        Image.fromarray(image).save(path.with_suffix('.png'))
    rig.camera['matrix'] = turned.ravel().tolist()
    rig.camera |= dict(files='left/*.png', distortion={lens.model: list(lens.coefficients)})
    del rig.content['val']
    summary = import_rig(rig.write(drives=['drive_00']))[0]
    for info in read(summary.path)['data_list']:
        entry = info['images']['left']
        found = np.asarray(Image.open(rig.root / entry['img_path'])).astype(float)
        new = np.array(entry['cam2img'])
        size = (entry['width'], entry['height'])
        assert found.shape[1::-1] == size and size[0] > 0.7 * turned[0, 2] * 2
        expected = looked_up(originals[Path(entry['img_path']).stem], matrix, pinhole(new, size))
        shifted = looked_up(
            originals[Path(entry['img_path']).stem], matrix, pinhole(new, size) + 1 / new[0, 0]
        )
        difference = np.abs(found - expected).mean()
        assert difference < 2 and difference < 0.3 * np.abs(shifted - expected).mean()


def pinhole(matrix, size):
    """(H, W, 2) rays of the pixels of a camera without distortion."""
    pixels = np.stack(np.meshgrid(*(np.arange(n, dtype=float) for n in size)), -1)
    return (pixels - matrix[:2, 2]) / np.diag(matrix)[:2]


def test_lidar_in_the_vehicle_at_the_time_of_the_key_frame(rig):
    """A static point seen from a moving vehicle stays where it is in the world."""
    place = np.array([75.0, 150.0, 1.0])
    _, world = open_toy_world(rig.root)
    lidar2ego = np.eye(4)
    lidar2ego[:3, 3] = (0.5, 0.2, 1.8)
    for drive in (0, 1):
        folder = rig.root / f'drive_{drive:02d}/lidar'
        folder.mkdir()
        for frame in range(3):
            time = frame * KEYFRAME_SECONDS + 0.05
            pose = world.scene(drive).ego2world(time) @ lidar2ego
            point = np.linalg.inv(pose) @ [*place, 1]
            stamp = (1_600_000_000 + drive * 1000) * 10**6 + round(time * 1e6)
            np.save(folder / f'{stamp}.npy', point[None, :3].astype(np.float32))
    lidar = dict(files='lidar/*.npy', position=[0.5, 0.2, 1.8], rpy=[0, 0, 0])
    summary = import_rig(rig.write(lidar=lidar))[0]
    content = read(summary.path)
    assert content['metainfo']['has_lidar']
    for info in content['data_list']:
        entry = info['lidar_points']
        points = np.fromfile(rig.root / entry['lidar_path'], np.float32).reshape(-1, 4)
        ego2global = np.array(info['ego2global'])
        assert np.allclose(
            points[0, :3] @ ego2global[:3, :3].T + ego2global[:3, 3], place, atol=0.02
        )


def test_a_class_without_boxes_is_named(rig):
    train, val = import_rig(rig.write(classes=['person', 'lorry']))
    assert 'lorry 0' in str(train) and 'not used: vehicle' in str(train) and 'lorry 0' in str(val)


def test_the_camera_of_coefficients_that_do_not_fit_is_named(rig):
    rig.camera['distortion'] = dict(radial=[0, 0, -300, 0, 0])
    with refused('drive drive_00, camera left', 'k1 k2 p1 p2 k3'):
        import_rig(rig.write())


def test_cameras_must_be_those_of_the_first_drive(rig):
    """Of the DGP format; a description has them once."""
    from dataclasses import replace

    from hybrid_depth.rigs.description import read_description

    described = read_description(rig.path)
    other = described.val_drives[0]
    fewer = replace(other, cameras={'nose': other.cameras['nose']})
    with refused('drive_01', 'nose, left, right, tail', 'got nose'):
        import_rig(replace(described, val_drives=[fewer]))


def test_another_size_within_a_camera(rig):
    path = sorted((rig.root / 'drive_00/tail').iterdir())[2]
    Image.new('RGB', (64, 64)).save(path)
    with refused(path.name, '192x128', '64x64'):
        import_rig(rig.path)


def test_the_ddad_scene(real_data, tmp_path):
    path = tmp_path / 'rig.yaml'
    path.write_text(f'root: {real_data}/ddad_scene\ndgp: scene_dataset_v1.0.json\n')
    train, _ = import_rig(path)
    assert train.samples == 3 and train.boxes['Car'] == 278
    info = read(train.path)['data_list'][0]
    points = np.fromfile(tmp_path / info['lidar_points']['lidar_path'], np.float32).reshape(-1, 4)
    for item in info['instances']:
        if item['num_lidar_pts'] < 500:
            continue
        x, y, z, length, width, height, yaw = item['bbox_3d']
        offset = points[:, :3] - [x, y, z]
        along = offset[:, 0] * np.cos(yaw) + offset[:, 1] * np.sin(yaw)
        across = offset[:, 1] * np.cos(yaw) - offset[:, 0] * np.sin(yaw)
        inside = (abs(along) < length / 2) & (abs(across) < width / 2)
        inside &= abs(offset[:, 2]) < height / 2
        # the sweep on disk has a fifth of the points that were counted
        assert inside.sum() > 0.08 * item['num_lidar_pts']


def test_depth_of_the_ground_without_lidar(real_data, tmp_path):
    """The plane of DDAD's calibration, against LiDAR within 0.3 m of it: docs/results.md."""
    path = tmp_path / 'rig.yaml'
    path.write_text(f'root: {real_data}/ddad_scene\ndgp: scene_dataset_v1.0.json\n')
    summary, *_ = import_rig(path)
    found = {}
    for (_, camera), clip in info_clips(summary.path, tmp_path).items():
        errors = []
        for frame in clip:
            points = frame.points()
            pixels = points @ frame.cam2img.T
            pixels = pixels[:, :2] / pixels[:, 2:]
            width, height = image_size(frame.image)
            seen = ((pixels >= 0) & (pixels <= (width - 1, height - 1))).all(1)
            seen &= points[:, 2] < 80
            above = float(frame.plane.height) - points @ frame.plane.normal.double().numpy()
            cam2img = torch.from_numpy(frame.cam2img)
            depth = frame.plane.depth(torch.from_numpy(pixels)[None], cam2img, 80.0)[0].numpy()
            ground = seen & (np.abs(above) < 0.3) & (depth > 0)
            errors.append(np.abs(depth[ground] / points[ground, 2] - 1))
        found[camera] = round(float(np.concatenate(errors).mean()), 3)
    assert found == dict(CAMERA_01=0.103, CAMERA_05=0.092, CAMERA_06=0.118)


def test_six_real_cameras(real_data, tmp_path):
    """The nuScenes key frame as plain files: what the importer of its tables makes of it."""
    train, *_ = import_rig(write_vehicle(real_data / 'nuscenes_keyframe', tmp_path / 'rig'))
    assert (train.boxes['car'], train.boxes['pedestrian']) == (8, 30)
    create_nuscenes_infos(real_data / 'nuscenes_keyframe', 'v1.0-mini', tmp_path)
    (expected,) = read(tmp_path / 'nuscenes_infos_train.pkl')['data_list']
    (info,) = read(train.path)['data_list']
    lidar2ego = np.array(expected['lidar_points']['lidar2ego'])
    for name, image in info['images'].items():
        other = expected['images'][name]
        assert np.allclose(image['cam2img'], other['cam2img'], atol=1e-9)
        ego2cam = np.array(other['lidar2cam']) @ np.linalg.inv(lidar2ego)
        # poses of the file are interpolated at times that are rounded to microseconds
        assert np.allclose(image['lidar2cam'], ego2cam, atol=1e-4)
    found = np.array([item['bbox_3d'] for item in info['instances']])
    centres = np.array([item['bbox_3d'][:3] for item in expected['instances']])
    centres = centres @ lidar2ego[:3, :3].T + lidar2ego[:3, 3]
    distance = np.linalg.norm(found[:, None, :3] - centres, axis=2).min(1)
    assert len(found) > 50 and distance.max() < 1e-3


def test_two_real_cameras_of_other_lenses(real_data, tmp_path):
    """Real images, distorted by a known lens: import restores them to a part of a pixel."""
    names = ('CAM_FRONT', 'CAM_BACK')  # radial, fisheye
    lenses = {name: LENSES[name] for name in names}
    source = real_data / 'nuscenes_keyframe'
    summary, *_ = import_rig(write_vehicle(source, tmp_path / 'rig', lenses))
    (distorted_info,) = read(summary.path)['data_list']
    (info,) = read(import_rig(write_vehicle(source, tmp_path / 'plain'))[0].path)['data_list']
    for name in names:
        entry, plain = distorted_info['images'][name], info['images'][name]
        assert entry['lidar2cam'] == plain['lidar2cam']
        matrix, size = np.array(entry['cam2img']), (entry['width'], entry['height'])
        original = np.asarray(Image.open(tmp_path / 'plain' / plain['img_path']))
        image = np.asarray(Image.open(tmp_path / 'rig' / entry['img_path']))
        expected = looked_up(original, np.array(plain['cam2img']), pinhole(matrix, size))
        assert np.abs(image.astype(float) - expected).mean() < 1  # an image a pixel off: 2 to 3
        assert np.median(shifts(expected, image)) < 0.1


def shifts(first, second, tile=128):
    """Distances in pixels by which textured tiles of one image are off in another."""
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for image in (first, second)]
    window, found = cv2.createHanningWindow((tile, tile), cv2.CV_32F), []
    for row in range(0, grey[0].shape[0] - tile, tile):
        for column in range(0, grey[0].shape[1] - tile, tile):
            parts = [x[row : row + tile, column : column + tile] for x in grey]
            if parts[0].std() > 12:
                found.append(np.hypot(*cv2.phaseCorrelate(*parts, window)[0]))
    return found
