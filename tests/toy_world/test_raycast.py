import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hybrid_depth.toy_world.raycast import GROUND, SKY, cast
from hybrid_depth.toy_world.rays import spinning
from hybrid_depth.toy_world.shapes import Parts, Solid

from .solids import FOCAL, HEIGHT, WIDTH, is_inside, look_forward, solid


def test_a_box_hides_the_box_behind_it():
    near = solid(Solid.BOX, (6, 0, 1.5), (1, 0.55, 0.55), actor=0)
    far = solid(Solid.BOX, (11, 0, 1.5), (1, 2.05, 1.35), actor=1)
    for order in ([near, far], [far, near]):
        parts = Parts.concatenate(order)
        hits = cast(look_forward(), parts, 2)
        actor = np.where(hits.part >= 0, parts.actor[hits.part], -1)
        assert hits.distance[20, 30] == pytest.approx(5) and actor[20, 30] == 0
        # x of 6 pixels at 10 m is 1.2 m: beside the near box, on the far one
        assert hits.distance[20, 36] == pytest.approx(10) and actor[20, 36] == 1
        seen = [(actor == k).sum() for k in (0, 1)]
        # front faces of 5.5 and of 10.25 x 6.75 pixels to either side of a pixel centre
        assert seen[0] == hits.covered[0] == 11 * 11
        assert hits.covered[1] == 21 * 13 and seen[1] == 21 * 13 - 11 * 11


def test_ground_and_sky():
    behind = solid(Solid.BOX, (-5, 0, 1), (1, 1, 1))
    hits = cast(look_forward(), behind, 1)
    assert (hits.part[:21] == SKY).all() and np.isinf(hits.distance[:21]).all()
    assert (hits.part[21:] == GROUND).all() and hits.covered.tolist() == [0]
    rows = np.arange(21, HEIGHT)
    expected = 1.5 * FOCAL / (rows - 20)
    np.testing.assert_allclose(hits.distance[21:], np.tile(expected[:, None], WIDTH), rtol=1e-12)


SKEW, TOWARDS, AWAY = (0.5, -0.4, 0.8), (0, -np.pi / 2, 0), (0, np.pi / 2, 0)


@pytest.mark.parametrize(
    ('kind', 'taper', 'turn', 'half'),
    [(kind, taper, SKEW, (0.9, 0.6, 1.2)) for kind in Solid for taper in (1.0, 0.2)]
    # looked at along the axis, where rays are steeper than the cone
    + [(Solid.FRUSTUM, 0.2, turn, (1.5, 1.3, 1.2)) for turn in (TOWARDS, AWAY)],
)
def test_entry_is_where_small_steps_along_the_ray_find_the_solid(kind, taper, turn, half):
    rotation = Rotation.from_euler('xyz', turn).as_matrix()
    centre, half = np.array([6, 0.4, 1.6]), np.array(half)
    grid = look_forward()
    hits = cast(grid, solid(kind, centre, half, rotation, taper), 1)
    steps = np.arange(4, 8, 0.004)
    row, col = (i.ravel() for i in np.indices(grid.shape))
    points = grid.origin + grid.directions(row, col).T[:, None] * steps[:, None]
    inside = is_inside(kind, (points - centre) @ rotation / half, taper)
    entry = np.where(inside.any(1), steps[inside.argmax(1)], np.inf).reshape(grid.shape)
    hit, found = hits.part == 0, np.isfinite(entry)
    assert found.sum() > 100
    assert (hit >= found).all(), 'what the steps find is hit'
    assert hit.sum() - found.sum() < 0.02 * found.sum(), 'steps miss only grazing rays'
    away = entry[found] - hits.distance[found]
    assert away.min() > -1e-9 and away.max() <= 0.004 + 1e-9
    assert hits.covered[0] == hit.sum()


def test_lidar_columns_wrap_around():
    """A box behind the LiDAR is at both ends of the azimuth range."""
    azimuth = np.arange(360) * (2 * np.pi / 360)
    lidar2world = np.eye(4)
    lidar2world[2, 3] = 1.5
    for centre in ((8, 0, 1.5), (-8, 0, 1.5), (0, 8, 1.5)):
        box = solid(Solid.BOX, centre, (1, 1, 1))
        hits = cast(spinning(lidar2world, np.radians([-2.0, 0.0, 2.0]), 360), box, 1)
        middle = np.arctan2(centre[1], centre[0])
        off = np.abs((azimuth - middle + np.pi) % (2 * np.pi) - np.pi)
        np.testing.assert_array_equal(hits.part[1] == 0, off < np.arctan2(1, 7))
        assert hits.distance[1, int(np.argmin(off))] == pytest.approx(7)


@pytest.mark.parametrize('kind', list(Solid))
def test_what_is_behind_is_not_hit(kind):
    """A LiDAR so close to a solid that all columns are looked at."""
    lidar2world = np.eye(4)
    lidar2world[2, 3] = 1.5
    hits = cast(spinning(lidar2world, np.zeros(1), 360), solid(kind, (1.2, 0, 1.5), (1, 1, 1)), 1)
    azimuth = np.arange(360) * (2 * np.pi / 360)
    off = np.abs((azimuth + np.pi) % (2 * np.pi) - np.pi)
    edge = np.arctan2(1, 0.2) if kind == Solid.BOX else np.arcsin(1 / 1.2)
    np.testing.assert_array_equal(hits.part[0] == 0, off < edge)
    assert hits.distance[0, 0] == pytest.approx(0.2)


def test_a_wall_that_begins_behind_the_camera():
    """Its face at y = 1.93 m ends 8 m ahead, and is 3 m high."""
    hits = cast(look_forward(), solid(Solid.BOX, (2.5, 2.03, 1.5), (5.5, 0.1, 1.5)), 1)
    row, column = np.indices((HEIGHT, WIDTH))
    left, down = (30 - column).clip(1e-9) / FOCAL, (row - 20) / FOCAL
    ahead = 1.93 / left
    seen = (ahead < 8) & (np.abs(down) * ahead < 1.5)
    np.testing.assert_array_equal(hits.part == 0, seen)
    np.testing.assert_allclose(hits.distance[seen], ahead[seen])
