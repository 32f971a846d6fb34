"""The tool on a toy drive, whose depth is known."""

import json
import shutil
import sys

import numpy as np
import pytest

from hybrid_depth.cli import main
from hybrid_depth.datasets.depth_map_files import read_depth_png
from hybrid_depth.datasets.label_images import read_label_image, write_label_image
from hybrid_depth.toy_world import make_toy_world
from tests.tools.run import run_tool


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    root = tmp_path_factory.mktemp('toy') / 'kitti'
    return make_toy_world(root, scenes=2, keyframes=1, size=(208, 64), workers=1, layout='kitti')


def call(monkeypatch, *arguments, **environment):
    monkeypatch.setattr(sys, 'argv', ['hybrid-depth', *map(str, arguments)])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    main('make-embodied-depth')


def options(toy, out):
    folders = ('--labels', toy / 'semantic', '--instances', toy / 'instance')
    return toy, out, *folders, '--kerb-height', 0


def test_road_and_ground_are_exact_and_runs_resume(toy, tmp_path, monkeypatch, capsys):
    call(monkeypatch, *options(toy, tmp_path), '--report', RANK='1', WORLD_SIZE='2')
    depths = sorted((tmp_path / 'depth').rglob('*.png'))
    assert len(depths) == 10
    call(monkeypatch, *options(toy, tmp_path), RANK='0', WORLD_SIZE='2')
    times = {path: path.stat().st_mtime_ns for path in depths}
    capsys.readouterr()
    call(monkeypatch, *options(toy, tmp_path), '--report', RANK='0', WORLD_SIZE='1')
    assert times == {path: path.stat().st_mtime_ns for path in depths}
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert rows['road'][2] == '100.0/100.0' and rows['ground'][2] == '100.0/100.0'
    assert float(rows['vertical'][2].split('/')[1]) > 50
    planes = json.loads((tmp_path / 'planes.json').read_text())
    assert len(planes) == 20 and all(plane['height'] == 1.65 for plane in planes.values())
    origin = read_label_image(str(depths[0]).replace('/depth/', '/provenance/'))
    depth = read_depth_png(depths[0])
    assert set(np.unique(origin)) <= {0, 1, 2, 3, 4, 5} and (depth[origin == 5] == 0).all()


def test_changed_labels_and_calibration_are_processed_again(toy, tmp_path, monkeypatch):
    root, out = tmp_path / 'kitti', tmp_path / 'out'
    shutil.copytree(toy, root)
    call(monkeypatch, *options(root, out))
    first, second = sorted((out / 'depth').rglob('*.png'))[:2]
    times = [path.stat().st_mtime_ns for path in (first, second)]
    label = root / 'semantic' / first.relative_to(out / 'depth')
    write_label_image(np.full_like(read_label_image(label), 10), label)
    call(monkeypatch, *options(root, out))
    assert (read_depth_png(first) == 0).all() and second.stat().st_mtime_ns == times[1]
    calibration = next(root.glob('2*/calib_cam_to_cam.txt'))
    calibration.write_text(calibration.read_text().replace('P_rect_02: ', 'P_rect_02: 1'))
    call(monkeypatch, *options(root, out))
    assert second.stat().st_mtime_ns != times[1]


def test_lidar_fit_corrects_a_wrong_height(toy, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    call(monkeypatch, *options(toy, out), '--height', 1.6, '--pitch', 0.4, '--fit', 'lidar')
    planes = json.loads((out / 'planes.json').read_text()).values()
    found = np.array([(x['height'], x['pitch_degrees'], x['roll_degrees']) for x in planes])
    error = np.abs(np.median(found, 0) - (1.65, 0, 0))
    assert (error < (0.02, 0.15, 0.15)).all()


@pytest.mark.parametrize(
    ('extra', 'message'),
    [
        (('--height', 0), 'height above 0'),
        (('--height', 'nan'), 'height above 0'),
        (('--fit', 'depth'), 'folder of depth'),
        (('--max-depth', 60), 'other settings'),
        (('--ids', 'coco'), 'mapping file'),
    ],
)
def test_bad_settings(toy, tmp_path, monkeypatch, extra, message):
    (tmp_path / 'manifest.json').write_text(json.dumps(dict(max_depth=80.0)))
    with pytest.raises(SystemExit, match=message):
        call(monkeypatch, *options(toy, tmp_path), *extra)


def test_labels_of_another_size_and_folders_without_height(toy, tmp_path, monkeypatch):
    image = min((toy / '2018_07_24').rglob('image_02/data/*.png'))
    labels = tmp_path / 'labels'
    write_label_image(np.zeros((5, 5), np.uint8), labels / image.relative_to(toy))
    with pytest.raises(SystemExit, match='208 x 64'):
        call(monkeypatch, toy, tmp_path / 'out', '--labels', labels)
    with pytest.raises(SystemExit, match='--height METRES'):
        call(monkeypatch, image.parent, tmp_path / 'out', '--labels', labels)


def test_a_missing_folder_of_images_is_named(tmp_path):
    arguments = (tmp_path / 'absent', tmp_path / 'out', '--labels', tmp_path)
    assert 'absent, which does not exist' in run_tool('make_embodied_depth.py', *arguments)
