"""`hybrid-depth prepare-kitti`: its four commands and their options."""

import json

import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.kitti.splits import read_split
from hybrid_depth.depth.evaluation.files import DepthMaps
from tests.datasets import kitti_files
from tests.tools.run import run_tool


@pytest.fixture
def root(tmp_path):
    """Eight frames of both cameras, two sweeps; the left camera stands still from 3 to 4."""
    kitti_files.write_raw_tree(tmp_path / 'kitti', range(8))
    folder = tmp_path / 'kitti' / kitti_files.DRIVE / 'image_02' / 'data'
    kitti_files.image(3).save(folder / f'{4:010d}.png')
    return tmp_path / 'kitti'


def prepare(command: str, *arguments: object) -> None:
    assert run_tool('prepare_kitti.py', command, *arguments) is None


def test_check_compares_with_a_list(root, tmp_path, capsys):
    listed = kitti_files.write_list(tmp_path / 'list.txt', (1, 2, 9))
    prepare('check', root, '--split', listed)
    said = capsys.readouterr().out
    assert '2 cameras, 16 images' in said
    assert f'split {listed}: 2 of 3 frames on disk (PARTIAL)' in said
    prepare('check', root)
    assert 'split' not in capsys.readouterr().out


def test_check_reads_every_image_where_asked(root, capsys):
    path = root / kitti_files.DRIVE / 'image_03' / 'data' / f'{7:010d}.png'
    path.write_bytes(path.read_bytes()[:700])
    prepare('check', root)
    assert 'damaged' not in capsys.readouterr().out
    prepare('check', root, '--read-all')
    assert 'damaged' in capsys.readouterr().out


def test_ground_truth_of_both_sources(root, tmp_path, capsys):
    listed = kitti_files.write_list(tmp_path / 'list.txt', (1, 2, 3))
    prepare('export-gt', root, tmp_path / 'gt', '--split', listed)
    said = capsys.readouterr().out
    assert '2 maps written, 0 existed' in said and 'PARTIAL: 1 of 3 frames' in said
    assert json.loads((tmp_path / 'gt/export.json').read_text())['source'] == 'velodyne'

    elsewhere = tmp_path / 'annotated'
    place = (
        elsewhere / 'train' / kitti_files.DRIVE.split('/')[1] / 'proj_depth/groundtruth/image_02'
    )
    place.mkdir(parents=True)
    Image.fromarray(np.full((2, 3), 2560, np.uint16)).save(place / '0000000001.png')
    options = ('--split', listed, '--source', 'improved', '--depth-root', elsewhere)
    prepare('export-gt', root, tmp_path / 'improved', *options)
    assert (DepthMaps(tmp_path / 'improved')[0] == 10).all()


def test_jpeg_beside_or_in_the_place_of_png(root, capsys):
    folder = root / kitti_files.DRIVE / 'image_02' / 'data'
    prepare('to-jpeg', root)
    assert '16 images written, 0 existed' in capsys.readouterr().out
    assert len(list(folder.glob('*.png'))) == len(list(folder.glob('*.jpg'))) == 8
    prepare('to-jpeg', root, '--remove-png')
    assert not list(folder.glob('*.png')) and len(list(folder.glob('*.jpg'))) == 8


@pytest.mark.parametrize(
    ('options', 'sides', 'numbers'),
    [
        ([], 'lr', {1, 2, 3, 4, 5, 6}),
        (['--sides', 'r'], 'r', {1, 2, 3, 4, 5, 6}),
        (['--sides', 'l', '--min-motion', '1'], 'l', {1, 2, 4, 5, 6}),
        (['--of', 'LIST'], 'l', {1, 2}),
    ],
)
def test_split_lists(root, tmp_path, options, sides, numbers):
    listed = kitti_files.write_list(tmp_path / 'list.txt', (1, 2, 9))
    options = [listed if option == 'LIST' else option for option in options]
    prepare('make-split', root, tmp_path / 'split', '--val-share', '0.5', *options)
    train, val = (
        read_split(tmp_path / 'split' / f'{part}_files.txt', root) for part in ('train', 'val')
    )
    assert {frame.number for frame in train + val} == numbers
    assert {frame.side for frame in train + val} == set(sides)
    assert len(train) == len(val) or len(train + val) % 2
    prepare('make-split', root, tmp_path / 'whole', '--val-share', '0', *options)
    assert not (tmp_path / 'whole/val_files.txt').exists()
