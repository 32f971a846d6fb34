"""Depth metrics of a detector against LiDAR, per camera and range."""

import numpy as np
import torch

from hybrid_depth.bev.evaluation.rig_depth import rig_depth_report, rig_depth_sums, rig_depth_table


def example() -> np.ndarray:
    """Two cameras of 2 x 3 cells of 4 x 4 pixels: one right, one 20 % and 50 % too far."""
    lidar = torch.zeros(2, 8, 12)
    lidar[0, 1, 1], lidar[0, 2, 2] = 5.0, 9.0  # one cell: the nearer point is used
    lidar[1, 7, 11], lidar[1, 0, 5] = 25.0, 10.0
    predicted = torch.full((2, 2, 3), 99.0)  # cells without a point are ignored
    predicted[0, 0, 0] = 5.0
    predicted[1, 1, 2], predicted[1, 0, 1] = 30.0, 15.0
    return rig_depth_sums(predicted, lidar)


def test_by_camera_and_range():
    report = rig_depth_report(example(), ['FRONT', 'BACK'])
    assert report['cells'] == 3 and report['cameras']['FRONT']['abs_rel'] == 0
    back = report['cameras']['BACK']
    np.testing.assert_allclose(back['abs_rel'], 0.35)
    np.testing.assert_allclose(back['rmse'], 5.0)
    assert back['a1'] == 0.5
    np.testing.assert_allclose(report['abs_rel'], 0.7 / 3)
    by_range = {tuple(row['metres']): row for row in report['distances']}
    assert by_range[0, 10]['pixels'] == by_range[10, 20]['pixels'] == 1
    assert by_range[30, 40]['pixels'] == 0
    np.testing.assert_allclose(by_range[20, 30]['abs_rel'], 0.2)
    table = rig_depth_table(report)
    assert '20-30 m' in table and 'BACK' in table and '0.350' in table


def test_sums_of_samples_are_added():
    once = rig_depth_report(example(), ['FRONT', 'BACK'])
    twice = rig_depth_report(example() + example(), ['FRONT', 'BACK'])
    assert twice['cells'] == 6 and twice['abs_rel'] == once['abs_rel']


def test_nothing_to_compare():
    sums = rig_depth_sums(torch.ones(1, 2, 2), torch.zeros(1, 4, 4))
    report = rig_depth_report(sums, ['FRONT'])
    assert report['cells'] == 0 and report['abs_rel'] is None
    assert 'FRONT' in rig_depth_table(report)
