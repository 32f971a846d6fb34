import logging
import math

import numpy as np
import pytest
import torch

from hybrid_depth.geometry import EmbodiedDepth, GroundPlane
from hybrid_depth.geometry.scene_classes import CLASSES
from tests.geometry.ray_scene import cast

SIZE = (240, 400)
CAMERA = np.array([[300.0, 0, 199.5], [0, 300.0, 119.5], [0, 0, 1]])
LEVEL = GroundPlane.from_angles(1.6)
EXACT = EmbodiedDepth(kerb_height=0.0)
ROAD, SIDEWALK, BUILDING, SKY, CAR = map(
    CLASSES.index, ('road', 'sidewalk', 'building', 'sky', 'car')
)


def scene(plane, boxes=(), classes=(), camera=CAMERA):
    """Depth, labels and instances of boxes on a road."""
    depth, hit = cast(camera, SIZE, plane, boxes)
    labels = np.where(hit == -2, SKY, ROAD).astype(np.uint8)
    for index, name in enumerate(classes):
        labels[hit == index] = CLASSES.index(name)
    return depth, labels, np.maximum(hit + 1, 0).astype(np.uint16)


def errors(result, truth, where):
    depth = result.depth[0, 0].numpy()
    return np.abs(depth[where & (depth > 0)] / truth[where & (depth > 0)] - 1)


def test_road_is_the_plane_and_the_horizon_is_invalid():
    truth, labels, _ = scene(LEVEL)
    labels[:] = ROAD  # also above the horizon
    result = EXACT(labels, CAMERA, LEVEL)
    depth = result.depth[0, 0].numpy()
    valid = truth <= 80
    np.testing.assert_allclose(depth[valid], truth[valid], rtol=1e-5)
    assert (depth[~valid] == 0).all() and np.isfinite(depth).all()
    assert (result.provenance[0, 0].numpy() == valid).all()


@pytest.mark.parametrize('pitch', [-10, -1, 0, 3, 20])
@pytest.mark.parametrize('roll', [-30, 0, 1.5, 90])
def test_wall_has_its_depth_at_any_attitude(pitch, roll):
    plane = GroundPlane.from_angles(1.6, math.radians(pitch), math.radians(roll))
    # one wall across the street, and one along it, whose depth changes from column to column
    boxes = [((-30, 30), (0, 9), (12, 13)), ((-3.5, -3), (0, 9), (2, 12))]
    truth, labels, ids = scene(plane, boxes, ('building', 'wall'))
    result = EmbodiedDepth(fill=False)(labels, CAMERA, plane)
    for index in (1, 2):
        wall = ids == index
        # the feet of the others are hidden or outside of the image
        assert (result.provenance[0, 0].numpy()[wall] == 3).mean() > 0.2
        found = errors(result, truth, wall)
        assert np.quantile(found, 0.9) < 0.03
    # the level copy of a column's contact, which this replaces, errs by 1 / (1 - s sin) at 20
    # degrees; the first wall has one distance
    assert np.quantile(errors(result, truth, ids == 1), 0.99) < 0.03


def test_car_on_the_plane_within_one_per_cent_and_ground_clearance():
    # body 0.2 m above the ground, wheels on it
    body = ((-1, 1), (0.2, 1.5), (10, 14))
    wheels = [((x, x + 0.2), (0, 0.4), (10, 10.6)) for x in (-1, 0.8)]
    truth, labels, ids = scene(LEVEL, [body, *wheels], ('car',) * 3)
    ids = np.minimum(ids, 1)
    result = EXACT(labels, CAMERA, LEVEL, ids)
    back = (ids == 1) & (np.abs(truth - 10) < 1e-6)
    assert back.sum() > 1600
    # one pixel of row is 2 % at 10 m for this camera: half of it for the wheels and the body each
    assert errors(result, truth, back).max() < 0.02
    without = np.where(np.isin(ids, 1) & (cast(CAMERA, SIZE, LEVEL, [body])[1] < 0), ROAD, labels)
    hidden = EXACT(without.astype(np.uint8), CAMERA, LEVEL)
    assert errors(hidden, truth, back & (without == CAR)).min() > 0.08  # ground behind the body


def test_fine_image_has_the_car_within_one_per_cent():
    scale = np.diag([4.0, 4, 1])
    camera = scale @ CAMERA
    size = (480, 800)
    camera[:2, 2] = 399.5, 100
    depth, hit = cast(camera, size, LEVEL, [((-1, 1), (0, 1.5), (10, 14))])
    labels = np.where(hit == 0, CAR, np.where(hit == -1, ROAD, SKY)).astype(np.uint8)
    result = EXACT(labels, camera, LEVEL)
    assert errors(result, depth, (hit == 0) & (np.abs(depth - 10) < 1e-6)).max() < 0.01


def test_touching_cars_need_instances(caplog):
    boxes = [((-2, 0), (0, 1.5), (8, 12)), ((0, 2), (0, 1.5), (14, 18))]
    truth, labels, ids = scene(LEVEL, boxes, ('car', 'car'))
    far = (ids == 2) & (np.abs(truth - 14) < 1e-6)
    assert errors(EXACT(labels, CAMERA, LEVEL, ids), truth, far).max() < 0.04
    with caplog.at_level(logging.INFO):
        merged = EXACT(labels, CAMERA, LEVEL)
    assert '1 things without an instance' in caplog.text
    assert errors(merged, truth, far).max() > 0.3
    apart = labels.copy()
    apart[:, 199:201] = SKY
    assert errors(EXACT(apart, CAMERA, LEVEL), truth, far & (apart == CAR)).max() < 0.04


def test_occluded_things_and_walls_above_cars_are_filled_or_empty():
    # the wall is seen above the car and beside it
    boxes = [((-1, 1), (0, 1.5), (6, 10)), ((-30, 30), (0, 8), (25, 26))]
    truth, labels, ids = scene(LEVEL, boxes, ('car', 'building'))
    above = (ids == 2) & (ids == 1).any(0)
    assert above.sum() > 800
    empty = EmbodiedDepth(fill=False)(labels, CAMERA, LEVEL)
    assert (empty.depth[0, 0].numpy()[above] == 0).all()
    assert (empty.provenance[0, 0].numpy()[above] == 0).all()
    filled = EmbodiedDepth()(labels, CAMERA, LEVEL)
    assert (filled.provenance[0, 0].numpy()[above] == 4).all()
    # inpainted between car and wall: not nearer than one, not farther than the other
    depth = filled.depth[0, 0].numpy()[above]
    assert (depth > 5.5).all() and (depth < 26).all() and np.median(depth) > 9
    assert (filled.provenance[0, 0].numpy()[labels == SKY] == 5).all()
    assert (filled.depth[0, 0].numpy()[labels == SKY] == 0).all()


def test_noise_of_a_contact_is_filtered():
    truth, labels, ids = scene(LEVEL, [((-30, 30), (0, 9), (10, 11))], ('building',))
    wall = ids == 1
    foot = np.flatnonzero(wall[:, 100]).max()
    labels[foot - 30 : foot + 1, 199:203] = ROAD  # a notch into the wall
    found = errors(EXACT(labels, CAMERA, LEVEL), truth, wall & (labels == BUILDING))
    assert found.max() < 0.04
    raw = errors(EmbodiedDepth(reach=0)(labels, CAMERA, LEVEL), truth, wall & (labels == BUILDING))
    assert raw.max() > 0.5


def test_bus_beside_the_camera_has_the_depth_of_its_side():
    """With one distance per thing, most of a bus that passes was 30 % off."""
    body = ((1.5, 4), (0.3, 3), (5, 17))
    wheels = [((1.5, 1.8), (0, 0.9), (z, z + 0.9)) for z in (6, 14)]
    truth, labels, ids = scene(LEVEL, [body, *wheels], ('bus',) * 3)
    ids = np.minimum(ids, 1)
    found = errors(EXACT(labels, CAMERA, LEVEL, ids), truth, (ids == 1) & (truth > 6))
    # the rest is the far end, where no wheel stands out
    assert (found < 0.1).mean() > 0.65 and np.median(found) < 0.1


def test_rear_of_a_bus_has_the_clearance_of_a_bus_where_no_wheel_is_seen():
    """The ground seen below it is 23 % farther than the bus."""
    truth, labels, ids = scene(LEVEL, [((-1.3, 1.3), (0.3, 3), (8, 18))], ('bus',))
    rear = (ids == 1) & (np.abs(truth - 8) < 1e-6)
    assert errors(EXACT(labels, CAMERA, LEVEL, ids), truth, rear).max() < 0.02
    labels[labels == CLASSES.index('bus')] = CAR  # whose wheels are at its corners
    assert errors(EXACT(labels, CAMERA, LEVEL, ids), truth, rear).min() > 0.2


def test_barrier_with_an_instance_stands_on_its_feet():
    board = ((-1, 1), (0.2, 1.1), (8, 8.1))
    feet = [((x, x + 0.2), (0, 0.3), (8, 8.1)) for x in (-1, 0.8)]
    truth, labels, ids = scene(LEVEL, [board, *feet], ('fence',) * 3)
    barrier = ids > 0
    found = errors(EXACT(labels, CAMERA, LEVEL, barrier.astype(np.uint16)), truth, barrier)
    assert np.quantile(found, 0.99) < 0.02
    assert np.median(errors(EXACT(labels, CAMERA, LEVEL), truth, barrier)) > 0.08  # a long fence


def test_thing_has_no_depth_of_its_own_where_others_hide_its_contact():
    truck, wall = ((-1.2, 4), (0, 3), (10, 16)), ((1, 5), (0, 1), (6, 6.5))
    truth, labels, ids = scene(LEVEL, [truck, wall], ('truck', 'wall'))
    found = EXACT(labels, CAMERA, LEVEL, (ids == 1).astype(np.uint16)).provenance[0, 0].numpy()
    columns = np.arange(labels.shape[1])[None]
    foot = 199.5 + 300 * 1 / 6  # column of the wall's left edge
    assert (found[(ids == 1) & (columns < foot)] == 3).all()
    # half a metre at 10 m is 15 columns
    assert (found[(ids == 1) & (columns > foot + 17)] != 3).all()


def test_thing_with_parts_in_the_air_has_no_depth_of_its_own():
    boom, tracks = ((-1, 3), (0.8, 3), (10, 12)), ((0.5, 0.8), (0, 0.9), (10, 12))
    _, labels, ids = scene(LEVEL, [boom, tracks], ('truck',) * 2)
    ids = np.minimum(ids, 1)
    assert (EXACT(labels, CAMERA, LEVEL, ids).provenance[0, 0].numpy()[ids == 1] != 3).all()


def test_things_cut_by_the_lower_border_and_hidden_ones_are_not_vertical():
    truth, labels, ids = scene(LEVEL, [((-1, 1), (0, 1.5), (2.5, 4))], ('car',))
    assert (ids[-1] > 0).any()
    assert (EXACT(labels, CAMERA, LEVEL).provenance[0, 0].numpy()[ids > 0] != 3).all()
    # the feet of a person behind a car: only the arm has ground below, far behind
    labels = np.full(SIZE, ROAD, np.uint8)
    labels[:121] = SKY
    labels[100:170, 190:200] = CLASSES.index('person')
    labels[130:134, 200:206] = CLASSES.index('person')
    labels[170:200, 170:230] = CAR
    found = EXACT(labels, CAMERA, LEVEL).provenance[0, 0].numpy()
    assert (found[labels == CLASSES.index('person')] == 4).all()
    assert (found[labels == CAR] == 3).all()


def test_pole_and_sign_share_the_pole_s_distance():
    boxes = [((-0.1, 0.1), (0, 2), (9, 9.2)), ((-0.5, 0.5), (2, 3), (9, 9.2))]
    truth, labels, ids = scene(LEVEL, boxes, ('pole', 'traffic sign'))
    result = EXACT(labels, CAMERA, LEVEL)
    assert (result.provenance[0, 0].numpy()[ids > 0] == 3).all()
    assert errors(result, truth, ids > 0).max() < 0.04


def test_kerb_and_terrain_have_their_own_height():
    truth, labels, _ = scene(LEVEL)
    raised, _ = cast(CAMERA, SIZE, GroundPlane.from_angles(1.6 - 0.15))
    labels[:, :120] = np.where(labels[:, :120] == ROAD, SIDEWALK, SKY)
    result = EmbodiedDepth(kerb_height=0.15)(labels, CAMERA, LEVEL)
    walk = (labels == SIDEWALK) & (raised < 80)
    np.testing.assert_allclose(result.depth[0, 0].numpy()[walk], raised[walk], rtol=1e-5)
    assert (result.provenance[0, 0].numpy()[walk] == 2).all()
    assert (result.provenance[0, 0].numpy()[(labels == ROAD) & (truth < 80)] == 1).all()


def test_objects_beyond_the_range_are_invalid_not_filled():
    boxes = [((-300, 300), (0, 60), (120, 121)), ((3, 5), (0, 2), (8, 9))]
    _, labels, ids = scene(LEVEL, boxes, ('building', 'car'))
    result = EmbodiedDepth(max_depth=80.0)(labels, CAMERA, LEVEL)
    far = (ids == 1) & ~(ids == 2).any(0)  # above the car is a hole, which is filled
    assert (result.depth[0, 0].numpy()[far] == 0).all()
    assert (result.provenance[0, 0].numpy()[far] == 0).all()
    seen = EmbodiedDepth(max_depth=200.0)(labels, CAMERA, LEVEL)
    assert (seen.depth[0, 0].numpy()[far] > 90).all()


def test_resize_crop_and_flip_change_nothing():
    plane = GroundPlane.from_angles(1.6, 0.03, 0.02)
    boxes = [((-30, 30), (0, 9), (12, 13)), ((-1, 1), (0, 1.5), (8, 12))]
    _, labels, ids = scene(plane, boxes, ('building', 'car'))
    depth = EXACT(labels, CAMERA, plane, ids).depth[0, 0].numpy()
    flip = np.array([[-1.0, 0, SIZE[1] - 1], [0, 1, 0], [0, 0, 1]])
    mirrored = EXACT(labels[:, ::-1], flip @ CAMERA, plane, ids[:, ::-1]).depth[0, 0].numpy()
    same = np.isclose(mirrored[:, ::-1], depth, rtol=0.03)
    assert same.mean() > 0.97
    crop = np.array([[1.0, 0, -20], [0, 1, -30], [0, 0, 1]])
    cropped = EXACT(labels[30:, 20:], crop @ CAMERA, plane, ids[30:, 20:]).depth[0, 0].numpy()
    assert np.isclose(cropped, depth[30:, 20:], rtol=0.03).mean() > 0.97
    double = np.array([[2.0, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    large = labels.repeat(2, 0).repeat(2, 1), ids.repeat(2, 0).repeat(2, 1)
    resized = EXACT(large[0], double @ CAMERA, plane, large[1]).depth[0, 0].numpy()
    assert np.isclose(resized[::2, ::2], depth, rtol=0.05).mean() > 0.95


def test_batches_torch_and_numpy_agree():
    planes = [GroundPlane.from_angles(1.6), GroundPlane.from_angles(1.8, 0.05)]
    labels = [scene(plane, [((-1, 1), (0, 1.5), (8, 12))], ('car',))[1] for plane in planes]
    batch = GroundPlane(
        torch.stack([p.normal for p in planes]), torch.stack([p.height for p in planes])
    )
    found = EXACT(torch.from_numpy(np.stack(labels)), torch.from_numpy(CAMERA)[None], batch)
    assert found.depth.shape == (2, 1, *SIZE) and found.depth.dtype == torch.float32
    assert found.provenance.dtype == torch.uint8
    for index, plane in enumerate(planes):
        single = EXACT(labels[index], CAMERA, plane)
        assert torch.equal(found.depth[index], single.depth[0])
        assert torch.equal(found.provenance[index], single.provenance[0])


@pytest.mark.parametrize(
    ('height', 'normal'),
    [(0.0, (0, 1, 0)), (-1.6, (0, 1, 0)), (math.nan, (0, 1, 0)), (1.6, (0, math.nan, 0))],
)
def test_an_invalid_plane_gives_invalid_depth(height, normal):
    plane = GroundPlane(torch.tensor(normal).double(), torch.tensor(height).double())
    result = EXACT(scene(LEVEL)[1], CAMERA, plane)
    assert (result.depth == 0).all() and set(result.provenance.unique().tolist()) == {0, 5}


@pytest.mark.parametrize('label', ['sky', 'building', None])
def test_images_without_ground_are_invalid(label):
    labels = np.full(SIZE, 255 if label is None else CLASSES.index(label), np.uint8)
    result = EXACT(labels, CAMERA, LEVEL)
    assert (result.depth == 0).all()
    assert (result.provenance == (5 if label == 'sky' else 0)).all()


@pytest.mark.parametrize('pitch', [-90, -60, 90])
def test_cameras_that_see_no_horizontal_distance(pitch):
    plane = GroundPlane.from_angles(1.6, math.radians(pitch))
    labels = np.full(SIZE, ROAD, np.uint8)
    labels[:120] = BUILDING
    result = EXACT(labels, CAMERA, plane)
    assert torch.isfinite(result.depth).all()
    if pitch < 0:  # the camera looks at the sky
        assert (result.depth == 0).all()
    else:
        assert (result.depth[0, 0, 120:] > 0).all()


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(labels=np.full(SIZE, 26, np.uint8)), r'train ids\) and 255, got \[26\]'),
        (dict(labels=np.zeros((2, 3, 4, 5), np.uint8)), r'expected label images \(B, H, W\)'),
        (dict(labels=np.zeros(SIZE, np.float32)), 'of integers'),
        (dict(labels=np.full(SIZE, -1)), 'from 0 to 65535, got -1'),
        (dict(instances=np.zeros((3, 4), np.uint16)), 'expected instances of the size'),
        (dict(cam2img=np.full((3, 3), np.nan)), 'finite, invertible intrinsics'),
        (dict(cam2img=np.zeros((3, 3))), 'finite, invertible intrinsics'),
        (dict(cam2img=np.zeros((3, 3, 3))), 'cam2img for one image or for each of 1'),
    ],
)
def test_bad_input(changes, message):
    given = dict(labels=np.zeros(SIZE, np.uint8), cam2img=CAMERA, plane=LEVEL)
    with pytest.raises(ValueError, match=message):
        EXACT(**(given | changes))


def test_one_kitti_frame_is_fast():
    """At most 150 ms on one core; the limit of the test has room for a busy machine."""
    import time

    size, camera = (375, 1242), np.array([[721.5, 0, 609.6], [0, 721.5, 172.9], [0, 0, 1]])
    plane = GroundPlane.from_angles(1.65, 0.01, 0.02)
    boxes = [((-40, 40), (0, 12), (30, 31)), *(((x, x + 2), (0, 1.5), (9, 13)) for x in (-7, 3))]
    _, hit = cast(camera, size, plane, boxes)
    labels = np.select([hit == -2, hit == -1, hit == 0], [SKY, ROAD, BUILDING], CAR)
    labels = labels.astype(np.uint8)
    spent = []
    for _ in range(3):
        start = time.process_time()
        EmbodiedDepth()(labels, camera, plane)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.3


@pytest.mark.parametrize('grade', [-0.06, -0.03, 0.03, 0.06])
def test_a_change_of_grade_is_wrong_or_invalid_only_beyond_it(grade):
    """A street that rises or falls from 15 m on."""
    flat, _ = cast(CAMERA, SIZE, LEVEL)
    slope = (np.arange(SIZE[0]) - CAMERA[1, 2])[:, None] / CAMERA[1, 1] * np.ones(SIZE[1])
    with np.errstate(divide='ignore'):
        hill = (1.6 + 15 * grade) / (slope + grade)
    truth = np.where(flat <= 15, flat, np.where((slope + grade > 0) & (hill >= 15), hill, np.inf))
    labels = np.where(np.isfinite(truth), ROAD, SKY).astype(np.uint8)
    depth = EXACT(labels, CAMERA, LEVEL).depth[0, 0].numpy()
    before = truth <= 15
    assert np.abs(depth[before] / truth[before] - 1).max() < 1e-5
    # the error grows with the distance to the change
    behind = (truth > 15) & (truth < 16.5)
    assert np.abs(depth[behind] / truth[behind] - 1).max() < 0.1
    # a rise above the horizon has no depth
    assert (depth[(labels == ROAD) & (slope <= 0)] == 0).all()
    near = EmbodiedDepth(max_depth=15.0)(labels, CAMERA, LEVEL).depth[0, 0].numpy()
    assert np.abs(near[near > 0] / truth[near > 0] - 1).max() < 1e-4


def test_uniform_grade_is_a_plane_of_the_fit():
    """Standing on a street of 6 %, the vehicle has the street as its plane."""
    from hybrid_depth.geometry import GroundPlaneFit, fit_ground_points

    x, z = np.meshgrid(np.linspace(-3, 3, 20), np.linspace(4, 30, 40))
    street = np.stack((x, 1.6 - 0.01 * (z - 4), z), -1).reshape(-1, 3)
    fit = fit_ground_points(street, GroundPlaneFit.from_calibration(LEVEL))
    labels = np.full(SIZE, ROAD, np.uint8)
    depth = EXACT(labels, CAMERA, fit.plane).depth[0, 0].numpy()
    slope = (np.arange(SIZE[0]) - CAMERA[1, 2]) / CAMERA[1, 1]
    with np.errstate(divide='ignore'):
        truth = (1.6 + 0.04) / (slope + 0.01)
    rows = (truth > 4) & (truth < 70)
    np.testing.assert_allclose(depth[rows, 200], truth[rows], rtol=0.01)
