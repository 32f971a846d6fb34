"""An own vehicle's cameras as video."""

import pickle
import shutil

import numpy as np
import pytest
import yaml
from PIL import Image

from hybrid_depth.datasets.video.info_video import InfoVideoDataset
from hybrid_depth.rigs.importer import import_rig
from hybrid_depth.toy_world import open_toy_world
from hybrid_depth.toy_world.rig_layout import SENSORS
from hybrid_depth.toy_world.world import KEYFRAME_SECONDS
from tests.borders.refusal import refused

TRAIN = 'rig_infos_train.pkl'


@pytest.fixture
def rig(toy_vehicle, tmp_path):
    """A copy of the vehicle's folder, imported."""
    root = shutil.copytree(toy_vehicle, tmp_path / 'rig')
    import_rig(root / 'rig.yaml')
    return root


def test_neighbours_and_motion_are_those_of_the_simulator(rig):
    dataset = InfoVideoDataset(str(rig), TRAIN, ego_motion=True)
    assert len(dataset) == 4  # the middle one of three frames, of four cameras
    _, world = open_toy_world(rig)
    for info, (name, sensor) in zip(dataset, SENSORS.items(), strict=True):
        images = sorted((rig / 'drive_00' / name).iterdir())
        paths = [info['img_paths'][i] for i in (-1, 0, 1)]
        assert paths == [str(path) for path in images]
        assert info['meta']['folder'] == f'drive_00/{name}'
        assert np.allclose(info['cam2img'], sensor.cam2img(world), atol=1e-6)
        assert info['calibration_size'] == sensor.size(world)
        poses = [
            world.scene(0).ego2world(i * KEYFRAME_SECONDS + sensor.delay) @ sensor.cam2ego()
            for i in range(3)
        ]
        for neighbour, pose in ((-1, poses[0]), (1, poses[2])):
            expected = np.linalg.inv(pose) @ poses[1]
            # between poses at 20 Hz the simulator's path is not straight
            assert np.allclose(info['transforms'][neighbour], expected, atol=5e-3)
            assert np.linalg.norm(expected[:3, 3]) > 0.5
    names = {info['meta']['name'] for info in dataset}
    assert len(names) == 4


def test_a_gap_has_no_neighbours(rig):
    """And steps of several frames skip what is between."""
    content = pickle.loads((rig / TRAIN).read_bytes())
    last = content['data_list'][-1]
    for image in last['images'].values():
        image['timestamp'] += KEYFRAME_SECONDS
    (rig / TRAIN).write_bytes(pickle.dumps(content))
    dataset = InfoVideoDataset(str(rig), TRAIN, frame_ids=(0, -1))
    assert {info['meta']['frame'] for info in dataset} == {1}
    substituted = InfoVideoDataset(
        str(rig), TRAIN, ego_motion=True, missing_neighbours='repeat', cameras=['tail']
    )
    assert len(substituted) == 3
    assert np.array_equal(substituted.get_data_info(1)['transforms'][1], np.eye(4))


def test_masks_by_the_name_of_the_camera(rig, tmp_path):
    """Not by the folder of its images."""
    content = yaml.safe_load((rig / 'rig.yaml').read_text())
    content['cameras'] = {f'cam {name}': spec for name, spec in content['cameras'].items()}
    (rig / 'rig.yaml').write_text(yaml.safe_dump(content, sort_keys=False))
    import_rig(rig / 'rig.yaml')
    for name in SENSORS:
        Image.new('L', (8, 8)).save(tmp_path / f'cam {name}.png')
    dataset = InfoVideoDataset(str(rig), TRAIN, ego_masks=str(tmp_path))
    found = [info['ego_mask_path'] for info in dataset]
    assert found == [str(tmp_path / f'cam {name}.png') for name in SENSORS]


def test_video_at_another_rate_than_the_boxes(rig):
    """Boxes at every second moment: key frames there, video at all."""
    path = rig / 'drive_00/boxes.csv'
    heading, *lines = path.read_text().splitlines()
    times = sorted({line.split(',')[0] for line in lines})
    path.write_text('\n'.join([heading, *(x for x in lines if not x.startswith(times[1]))]))
    text = (rig / 'rig.yaml').read_text()
    (rig / 'rig.yaml').write_text(text + 'video: 10\n')
    train, _, video = import_rig(rig / 'rig.yaml')
    assert (train.samples, video.samples) == (2, 3) and video.path.name == 'rig_infos_video.pkl'
    assert 'instances' not in pickle.loads(video.path.read_bytes())['data_list'][0]
    assert len(InfoVideoDataset(str(rig), video.path.name)) == 4
    (rig / 'rig.yaml').write_text(text + 'video: 1.1\n')
    *_, video = import_rig(rig / 'rig.yaml')
    assert video.samples == 2
    (rig / 'rig.yaml').write_text(text + 'video: 0\n')
    with refused('video', 'got 0'):
        import_rig(rig / 'rig.yaml')


def test_mistakes(rig):
    with refused('cameras among nose, left, right, tail', 'got front'):
        InfoVideoDataset(str(rig), TRAIN, cameras=['front'])
    with refused("take 's' out of frame_ids"):
        InfoVideoDataset(str(rig), TRAIN, frame_ids=(0, 's'))
    with refused('frame_step of at least 1'):
        InfoVideoDataset(str(rig), TRAIN, frame_step=0)
    content = yaml.safe_load((rig / 'rig.yaml').read_text())
    del content['poses'], content['boxes']
    (rig / 'rig.yaml').write_text(yaml.safe_dump(content, sort_keys=False))
    import_rig(rig / 'rig.yaml')
    assert len(InfoVideoDataset(str(rig), TRAIN)) == 4
    with refused('poses of the vehicle', 'pose_net'):
        InfoVideoDataset(str(rig), TRAIN, ego_motion=True)
