"""Rotated IoU and NMS: against shapely, against a plain loop, and against mmcv's compiled op."""

import importlib
import math

import numpy as np
import pytest
import shapely
import torch
from torch import Tensor

from benchmarks.rotated_nms import detections
from hybrid_depth.ops import rotated_iou, rotated_nms
from tests.golden.make_rotated_nms import FILE, THRESHOLDS

STORED = np.load(FILE)
module = importlib.import_module('hybrid_depth.ops.rotated_nms')  # the function has the same name
DEVICES = ['cpu', *(['cuda'] if torch.cuda.is_available() else [])]
SETS, SIZE = 1000, 5  # of each kind
PAIRS = np.triu_indices(SIZE, 1)
NAN, INF = math.nan, math.inf


def scattered(extent: float = 4.0) -> Tensor:
    """(SETS, SIZE, 5) boxes of 0.3 to 5 m, centres within +- extent."""
    low = torch.tensor([-extent, -extent, 0.3, 0.3, -4.0], dtype=torch.float64)
    high = torch.tensor([extent, extent, 5.0, 5.0, 4.0], dtype=torch.float64)
    return low + (high - low) * torch.rand(SETS, SIZE, 5, dtype=torch.float64)


def quarter_turns() -> Tensor:
    """One rectangle per set, written with quarter turns and swapped sizes."""
    boxes = scattered()[:, :1].repeat(1, SIZE, 1)
    turns = torch.randint(-3, 4, (SETS, SIZE, 1))
    boxes[..., 4:] += turns * math.pi / 2
    boxes[..., 2:4] = torch.where(turns % 2 == 1, boxes[..., [3, 2]], boxes[..., 2:4])
    return boxes


def on_a_grid(turn: float) -> Tensor:
    """Edges and corners that touch, coincide and cross at corners."""
    whole = torch.randint(-2, 3, (SETS, SIZE, 5)).double()
    whole[..., 2:4] = torch.randint(1, 4, (SETS, SIZE, 2)).double()
    return whole * torch.tensor([1, 1, 1, 1, turn])


KINDS = {
    'scattered': scattered,
    'clustered': lambda: scattered(0.3),
    'concentric': lambda: scattered(0),
    'equal': lambda: scattered()[:, torch.arange(SIZE) // 3],
    'almost equal': lambda: (
        scattered()[:, [0] * SIZE] + 1e-12 * torch.rand(SETS, SIZE, 5, dtype=torch.float64)
    ),
    'quarter turns': quarter_turns,
    'grid': lambda: on_a_grid(math.pi / 2),
    'diagonal grid': lambda: on_a_grid(math.pi / 4),
    'slivers': lambda: scattered() * torch.tensor([1, 1, 1, 1e-4, 1]),
    'tiny': lambda: scattered() * torch.tensor([1e-5, 1e-5, 1e-5, 1e-5, 1]),
}


def polygons(boxes: Tensor) -> np.ndarray:
    """Boxes (..., 5) as shapely polygons."""
    x, y, w, h, angle = np.moveaxis(boxes.double().numpy(), -1, 0)
    along = np.stack((w * np.cos(angle), w * np.sin(angle)), -1) / 2
    across = np.stack((-h * np.sin(angle), h * np.cos(angle)), -1) / 2
    corners = (along + across, along - across, -along - across, across - along)
    return shapely.polygons(np.stack([np.stack((x, y), -1) + c for c in corners], -2))


def shapely_iou(shapes: np.ndarray, others: np.ndarray) -> np.ndarray:
    shared = shapely.area(shapely.intersection(shapes, others))
    return shared / (shapely.area(shapes) + shapely.area(others) - shared)


@pytest.fixture(scope='module')
def references() -> dict[str, tuple[Tensor, np.ndarray]]:
    """For each kind: boxes (SETS, SIZE, 5) and shapely's IoU (SETS, SIZE, SIZE)."""
    torch.manual_seed(0)
    found = {}
    for kind, draw in KINDS.items():
        boxes = draw()
        shapes = polygons(boxes)
        iou = np.zeros((SETS, SIZE, SIZE))
        i, j = PAIRS
        iou[:, i, j] = iou[:, j, i] = shapely_iou(shapes[:, i], shapes[:, j])
        found[kind] = boxes, iou
    return found


def greedy(iou: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """Indices kept by the definition, of consecutive sets (S, N, N), best first in each."""
    order = np.argsort(-scores, axis=1, kind='stable')
    kept = np.zeros(scores.shape, bool)
    sets = np.arange(len(scores))
    for box in order.T:
        kept[sets, box] = ~((iou[sets, box] > threshold) & kept).any(1)
    flat = order + sets[:, None] * scores.shape[1]
    return flat[np.take_along_axis(kept, order, 1)]


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('kind', KINDS)
def test_iou_equals_shapely(references, kind, device):
    boxes, expected = references[kind]
    boxes = boxes.to(device)
    iou = rotated_iou(boxes[:, :, None], boxes[:, None]).cpu().numpy()
    i, j = PAIRS
    # rounding moves a corner by 1e-16 of its distance, which is 1e-11 of a sliver's width
    tolerance = 1e-10 if kind == 'slivers' else 1e-13
    np.testing.assert_allclose(iou[:, i, j], expected[:, i, j], rtol=0, atol=tolerance)
    np.testing.assert_allclose(iou, iou.swapaxes(1, 2), rtol=0, atol=tolerance)
    np.testing.assert_allclose(iou[:, range(SIZE), range(SIZE)], 1, rtol=0, atol=tolerance)
    assert iou.min() >= 0 and iou.max() <= 1


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('threshold', [0.0512, 0.3073, 0.7111])  # no ratio of boxes on a grid
def test_nms_of_ten_thousand_sets_at_once(references, threshold, device):
    boxes = torch.cat([boxes for boxes, _ in references.values()])
    iou = np.concatenate([iou for _, iou in references.values()])
    scores = torch.rand(boxes.shape[:2], dtype=torch.float64)
    groups = torch.arange(len(boxes))[:, None].expand_as(scores)
    shuffled = torch.randperm(scores.numel())
    flat = (part.flatten(0, 1)[shuffled].to(device) for part in (boxes, scores, groups))
    found = rotated_nms(*list(flat)[:2], threshold, groups.flatten()[shuffled].to(device))
    assert len(boxes) == 10_000
    np.testing.assert_array_equal(shuffled[found.cpu()], greedy(iou, scores.numpy(), threshold))


def test_nms_of_boxes_whose_corners_overlap(references):
    boxes, iou = references['scattered']
    scores = torch.rand(boxes.shape[:2])
    groups = torch.arange(SETS).repeat_interleave(SIZE)
    kept = rotated_nms(boxes.flatten(0, 1), scores.flatten(), 0, groups)
    np.testing.assert_array_equal(kept, greedy(iou, scores.numpy(), 0))


def test_rounding_makes_no_iou_above_one():
    boxes = torch.cat([scattered() for _ in range(10)])
    turned = boxes + torch.tensor([0, 0, 0, 0, math.pi], dtype=torch.float64)
    assert rotated_iou(boxes, turned).max() <= 1


def test_position_does_not_matter():
    """Only differences of centres are used: 1000 km away the result is equal bit for bit."""
    boxes = scattered()
    boxes[..., :2] = (boxes[..., :2] * 1024).round() / 1024
    far = boxes + torch.tensor([2.0**20, -(2.0**20), 0, 0, 0])
    here, there = (rotated_iou(b[:, :, None], b[:, None]) for b in (boxes, far))
    assert torch.equal(here, there)
    scores = torch.rand(500)
    kept, kept_there = (rotated_nms(b[:100].flatten(0, 1), scores, 0.3) for b in (boxes, far))
    assert 30 < len(kept) < 300 and torch.equal(kept, kept_there)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_half_and_single_precision_boxes_are_compared_in_float64(dtype):
    boxes = scattered()[:50].to(dtype)
    i, j = PAIRS
    iou = rotated_iou(boxes[:, i], boxes[:, j])
    shapes = polygons(boxes)
    assert iou.dtype == torch.float64
    np.testing.assert_allclose(iou, shapely_iou(shapes[:, i], shapes[:, j]), atol=1e-13)


@pytest.mark.parametrize(
    ('box', 'other', 'expected'),
    [
        ([0, 0, 4, 2, 0], [0, 0, 4, 2, math.pi], 1),
        ([0, 0, 4, 2, 0], [4, 0, 4, 2, 0], 0),  # share an edge
        ([0, 0, 4, 2, 0], [4, 2, 4, 2, 0], 0),  # share a corner
        ([0, 0, 4, 4, 0], [0, 0, 2, 2, 1], 1 / 4),  # one inside the other
        ([0, 0, 2, 2, 0], [0, 0, 2, 2, math.pi / 4], 1 / math.sqrt(2)),  # an octagon
        ([0, 0, 4, 1, 0], [0, 0, 4, 1, math.pi / 2], 1 / 7),  # a cross
        ([0, 0, 0, 2, 0], [0, 0, 4, 2, 0], 0),
        ([0, 0, 0, 0, 0], [0, 0, 0, 0, 0], 0),
        ([0, 0, -4, 2, 0], [0, 0, 4, 2, 0], 0),
        ([0, 0, 4, 2, NAN], [0, 0, 4, 2, 0], 0),
        ([INF, 0, 4, 2, 0], [0, 0, 4, 2, 0], 0),
        ([0, 0, INF, 2, 0], [0, 0, 4, 2, 0], 0),
        ([0, 0, 1e38, 1e38, 0.1], [0, 0, 1e38, 1e38, 0.1], 1),
        ([3e38, 0, 1, 1, 0], [-3e38, 0, 1, 1, 0], 0),
        ([0, 0, 4, 2, 1e-310], [0, 0, 4, 2, 0], 1),
    ],
)
def test_iou_of_special_boxes(box, other, expected):
    box, other = torch.tensor([box, other], dtype=torch.float64)
    for one, two in ((box, other), (other, box)):
        assert rotated_iou(one, two).item() == pytest.approx(expected, abs=1e-15)


def test_boxes_without_overlap_are_kept():
    bad = torch.tensor([[NAN] * 5, [0, 0, NAN, 2, 0], [INF, 0, 4, 2, 0], [0, 0, INF, 4, 0]])
    flat = torch.tensor([[0, 0, 0, 2, 0.0], [0, 0, 0, 2, 0.0], [0, 0, -4, -2, 0.0]])
    good = torch.tensor([[0, 0, 4, 2, 0.0], [0.1, 0, 4, 2, 0.0], [9, 0, 4, 2, 0.0]])
    boxes = torch.cat((bad, good, flat))
    scores = torch.linspace(1, 0.1, len(boxes))
    assert rotated_nms(boxes, scores, 0.5).tolist() == [0, 1, 2, 3, 4, 6, 7, 8, 9]
    assert rotated_nms(boxes.flip(0), scores, 0.5).tolist() == [0, 1, 2, 3, 4, 6, 7, 8, 9]
    lines = scattered()[0].repeat(40, 1)
    lines[SIZE:, 2] = 0
    kept = rotated_nms(lines, torch.rand(len(lines)), 0)
    assert len(kept) > len(lines) - SIZE and (lines[:, 2] == 0).sum() == len(lines) - SIZE


def test_chain_of_boxes():
    """Each suppresses the next unless it is suppressed itself: as many rounds as boxes."""
    boxes = torch.zeros(101, 5)
    boxes[:, 0] = torch.arange(101)
    boxes[:, 2:4] = 2
    scores = torch.linspace(1, 0, 101)
    assert rotated_nms(boxes, scores, 0.3).tolist() == list(range(0, 101, 2))
    assert rotated_nms(boxes, scores, 0.34).tolist() == list(range(101))


@pytest.mark.parametrize('objects', [3, 30])
def test_many_pairs_are_processed_in_chunks(objects):
    boxes, scores = detections(600, objects)
    iou = rotated_iou(boxes[:, None], boxes[None])
    assert (iou > 0).sum() / 2 > 2 * module.PAIRS_AT_ONCE or objects == 30
    expected = greedy(iou[None].numpy(), scores[None].numpy(), 0.2)
    np.testing.assert_array_equal(rotated_nms(boxes, scores, 0.2), expected)


def test_groups_and_limits():
    boxes = torch.tensor([[x, 0, 2, 2, 0.0] for x in (0, 0, 5, 5, 9, 0, 9)])
    scores = torch.tensor([0.6, 0.6, 0.9, 0.8, 0.5, 0.7, 0.4])
    groups = torch.tensor([7, 7, -1, 7, 7, -1, -1])

    def nms(**options):
        return rotated_nms(boxes, scores, 0.5, groups, **options).tolist()

    assert rotated_nms(boxes, scores, 0.5).tolist() == [2, 5, 4]
    assert nms() == [2, 5, 6, 3, 0, 4]  # of equal scores the first
    assert nms(post_max_size=2) == [2, 5, 3, 0]
    assert nms(pre_max_size=3) == [2, 5, 6, 3, 0]
    assert nms(pre_max_size=1, post_max_size=9) == [2, 3]


def test_threshold_is_exceeded_not_met():
    boxes = torch.tensor([[0, 0, 2, 2, 0.0], [1, 0, 2, 2, 0.0], [5, 0, 2, 2, 0], [7, 0, 2, 2, 0]])
    scores = torch.tensor([0.9, 0.8, 0.7, 0.6])
    third = rotated_iou(boxes[0], boxes[1]).item()
    assert rotated_nms(boxes, scores, third).tolist() == [0, 1, 2, 3]
    assert rotated_nms(boxes, scores, math.nextafter(third, 0)).tolist() == [0, 2, 3]
    assert rotated_nms(boxes, scores, 0).tolist() == [0, 2, 3]


def test_no_box():
    assert rotated_nms(torch.zeros(0, 5), torch.zeros(0), 0.5, None, 10, 10).tolist() == []


def test_wrong_input_is_rejected():
    boxes, scores = torch.rand(4, 5), torch.rand(4)
    with pytest.raises(ValueError, match=r'boxes and others \(\.\.\., 5\).*\(4, 4\)'):
        rotated_iou(boxes[:, :4], boxes)
    with pytest.raises(ValueError, match=r'scores \(N,\), got \(4, 5\) and \(3,\)'):
        rotated_nms(boxes, scores[:3], 0.5)
    with pytest.raises(ValueError, match=r'boxes \(N, 5\).*got \(2, 2, 5\)'):
        rotated_nms(boxes.view(2, 2, 5), scores, 0.5)
    with pytest.raises(ValueError, match='threshold of 0 to 1, got 50'):
        rotated_nms(boxes, scores, 50)
    with pytest.raises(ValueError, match=r'groups \(4,\), got \(2,\)'):
        rotated_nms(boxes, scores, 0.5, torch.zeros(2).long())


def test_number_of_threads_is_restored(monkeypatch):
    before, inside = torch.get_num_threads(), []
    original = module._suppress
    monkeypatch.setattr(
        module, '_suppress', lambda *a: inside.append(torch.get_num_threads()) or original(*a)
    )
    torch.set_num_threads(3)
    try:
        rotated_nms(*detections(20, 3), 0.5)
        assert inside == [1] and torch.get_num_threads() == 3
        with pytest.raises(ValueError):
            rotated_nms(torch.rand(4, 4), torch.rand(4), 0.5)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def stored(key: str) -> Tensor:
    return torch.as_tensor(STORED[key])


@pytest.mark.parametrize('device', DEVICES)
@pytest.mark.parametrize('name', ['detections', 'scattered'])
def test_results_equal_mmcv(name, device):
    boxes, scores = stored(f'{name}.boxes').to(device), stored(f'{name}.scores').to(device)
    iou = rotated_iou(boxes[:, None], boxes[None]).cpu()
    # mmcv calculates in float32
    np.testing.assert_allclose(iou, stored(f'{name}.iou'), rtol=0, atol=1e-6)
    for threshold in THRESHOLDS:
        kept = rotated_nms(boxes, scores, threshold)
        assert kept.tolist() == stored(f'{name}.kept@{threshold}').tolist()
        kept = rotated_nms(boxes, scores, threshold, pre_max_size=200, post_max_size=40)
        assert kept.tolist() == stored(f'{name}.bev@{threshold}').tolist()


@pytest.mark.parametrize(('name', 'wrong'), [('turned', 2), ('millimetres', 92)])
def test_known_errors_of_mmcv(name, wrong):
    boxes = stored(f'{name}.boxes')
    shapes = polygons(boxes)
    truth = shapely_iou(shapes[:, None], shapes[None])
    iou = rotated_iou(boxes[:, None], boxes[None])
    np.testing.assert_allclose(iou, truth, rtol=0, atol=1e-12)
    assert (np.abs(stored(f'{name}.iou').numpy() - truth) > 1e-3).sum() == wrong
