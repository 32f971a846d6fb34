"""Planes on disk: exact, of several processes, after a kill."""

import json

import numpy as np

from hybrid_depth.geometry import GroundPlane, GroundPlaneFit
from hybrid_depth.inference.plane_records import PlaneRecords

PRIOR = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65, 0.013, -0.007))
FIT = GroundPlaneFit(PRIOR.inverse * 1.01, PRIOR.covariance / 3, 17)
ORIGIN = dict(image='a', calibration='b')


def test_planes_are_found_bit_for_bit_if_made_from_the_same(tmp_path):
    PlaneRecords(tmp_path, 'fits', 0).add('x/1.png', FIT, ORIGIN)
    records = PlaneRecords(tmp_path, 'fits', 1)
    found = records.find('x/1.png', ORIGIN)
    assert (found.inverse == FIT.inverse).all() and (found.covariance == FIT.covariance).all()
    assert found.used == 17
    assert records.find('x/1.png', ORIGIN | dict(image='other')) is None
    assert records.find('x/2.png', ORIGIN) is None
    assert PlaneRecords(tmp_path, 'planes', 0).find('x/1.png', ORIGIN) is None


def test_a_line_cut_by_a_kill_is_lost_alone(tmp_path):
    PlaneRecords(tmp_path, 'fits', 0).add('1.png', FIT, ORIGIN)
    with open(tmp_path / 'fits_000.jsonl', 'a') as file:
        file.write('{"image": "2.png", "norm')
    PlaneRecords(tmp_path, 'fits', 0).add('3.png', FIT, ORIGIN)
    records = PlaneRecords(tmp_path, 'fits', 0)
    assert [records.find(f'{x}.png', ORIGIN) is None for x in (1, 2, 3)] == [False, True, False]


def test_merged_planes_are_those_of_all_processes_the_last_line_of_each_image(tmp_path):
    for rank in (1, 0):
        records = PlaneRecords(tmp_path, 'planes', rank)
        records.add(f'{rank}.png', PRIOR, ORIGIN)
        records.add(f'{rank}.png', FIT, ORIGIN)
    records.merge(tmp_path / 'planes.json')
    merged = json.loads((tmp_path / 'planes.json').read_text())
    assert list(merged) == ['0.png', '1.png']
    for plane in merged.values():
        assert plane['measurements'] == 17 and plane['made_from'] == ORIGIN
        np.testing.assert_allclose(plane['height'], 1.65 / 1.01)
        np.testing.assert_allclose(plane['pitch_degrees'], np.degrees(0.013))
        np.testing.assert_allclose(plane['roll_std_degrees'], np.degrees(FIT.roll_std))
