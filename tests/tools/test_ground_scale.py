"""Ground-scale benchmark on flat and raised ground."""

import math

from benchmarks.ground_scale import report
from hybrid_depth.geometry import GroundPlane, cell_pixels, ground_plane_depth
from tests.bev.depth_nets.test_semantics import forward_rig

SIZE = (32, 64)


def frame(factor: float):
    """Ground whose depth is the plane's times a factor, 1.5 m below the camera."""
    rig = forward_rig()
    plane = ground_plane_depth(cell_pixels(SIZE, SIZE, 'corners'), rig, max_depth=50.0)[0]
    return 'made up', plane * factor, rig, SIZE


def test_flat_ground():
    text = report(iter([frame(1.0)]))
    assert 'median 1.0000, median error 0.0000' in text
    near = next(line for line in text.splitlines() if line.split()[0] == '3-10')
    assert near.split()[2:] == ['1.000', '1.000'] and int(near.split()[1]) > 100


def test_raised_ground():
    """7 % nearer: 0.1 m above the plane, which is accepted as road."""
    text = report(iter([frame(1 / 1.07)]))
    assert 'median 1.0700, median error 0.0700' in text
    near = next(line for line in text.splitlines() if line.split()[0] == '3-10')
    assert near.split()[2:] == ['0.000', '1.000']


def test_attitude_from_the_depth():
    """A road that falls to one side, in depth of an unknown unit."""
    name, plane, rig, size = frame(1.0)
    true = GroundPlane.from_angles(1.5, math.radians(0.4), math.radians(-0.8))
    cam2img = (rig.img_aug @ rig.cam2img)[0, 0]
    depth = true.depth(cell_pixels(SIZE, SIZE, 'corners'), cam2img, max_depth=50.0)[None]
    shares = []
    for fit in (False, True):
        text = report(iter([(name, depth * 1.04, rig, size)]), fit)
        near = next(line for line in text.splitlines() if line.split()[0] == '3-10')
        shares.append(float(near.split()[2]))
    assert shares[0] < 0.9 and shares[1] > 0.99 and 'median 0.96' in text
