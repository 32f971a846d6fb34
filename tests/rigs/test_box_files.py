"""Boxes in CSV and JSON files."""

import csv
import json

import numpy as np
import pytest

from hybrid_depth.rigs.box_files import read_boxes
from tests.borders.refusal import refused

ROW = dict(time=1.5, x=5, y=-2, z=0.8, length=4.2, width=1.8, height=1.5, yaw=0.3)
ROW |= {'class': 'car'}


def write(path, *rows):
    if path.suffix == '.json':
        path.write_text(json.dumps(list(rows)))
        return path
    with open(path, 'w', newline='') as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize('name', ['boxes.csv', 'boxes.json'])
def test_formats(name, tmp_path):
    full = dict(ROW, vx=3, vy=0.5, points=12, track='a')
    found = read_boxes(write(tmp_path / name, full, dict(full, time=2)), 'vehicle', -0.2)
    assert found.times.tolist() == [1.5, 2] and found.names == ['car', 'car']
    assert np.allclose(found.boxes[0], [5, -2, 1.0, 4.2, 1.8, 1.5, 0.3])  # above the ground
    assert np.allclose(found.velocities[1], [3, 0.5])
    assert found.points.tolist() == [12, 12] and found.tracks == ['a', 'a']


def test_what_may_be_absent(tmp_path):
    found = read_boxes(write(tmp_path / 'boxes.csv', ROW), 'world', -0.2)
    assert np.isnan(found.velocities).all() and found.points is None and found.tracks is None
    assert found.boxes[0, 2] == 0.8  # z of the world


@pytest.mark.parametrize(
    ('changes', 'frame', 'words'),
    [
        (dict(yaw=90), 'vehicle', ('radians', '90', 'Degrees?')),
        (dict(length=4200, width=1800, height=1500), 'vehicle', ('millimetres', '4200')),
        (dict(length=0.01, width=0.01, height=0.01), 'world', ('sizes in metres',)),
        (dict(x=450000, y=5e6), 'vehicle', ('frame: world',)),
        (dict(x='far'), 'vehicle', ('line 2', 'a number as x', "'far'")),
        (dict(yaw=None), 'vehicle', ('line 2', 'yaw')),
    ],
)
def test_units_and_values(changes, frame, words, tmp_path):
    path = write(tmp_path / 'boxes.csv', dict(ROW, **changes))
    with refused(str(path), *words):
        read_boxes(path, frame, 0.0)


@pytest.mark.parametrize('content', ['[1]', '{}', '[{"x": 1}]'])
def test_other_json(content, tmp_path):
    path = tmp_path / 'boxes.json'
    path.write_text(content)
    with refused(str(path), 'class'):
        read_boxes(path, 'world', 0.0)


def test_a_missing_column_is_named(tmp_path):
    row = {key: value for key, value in ROW.items() if key != 'width'}
    with refused('without width'):
        read_boxes(write(tmp_path / 'boxes.csv', row), 'world', 0.0)
