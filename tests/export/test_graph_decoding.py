"""Decoding and NMS inside a file against those by numpy."""

from io import BytesIO

import numpy as np
import pytest
import torch
from torch import nn

from hybrid_depth.export.box_decoding import BOXES, decode_task, suppress
from hybrid_depth.export.detector import task_specs
from hybrid_depth.export.graph_decoding import Decoding, greedy
from hybrid_depth.export.writer import write_onnx
from tests.bev.heads.test_center_head import HEAD, build_head, fixed_outputs
from tests.export.test_box_decoding import VARIANTS


def maps_of(head, task: int) -> dict[str, torch.Tensor]:
    one = fixed_outputs(task, head.num_classes[task])
    return {name: torch.cat((x, x.flip(-1) - 1.0 * (name == 'heatmap'))) for name, x in one.items()}


def expected_boxes(spec, maps, nms: bool) -> list[tuple[np.ndarray, ...]]:
    decoded = decode_task(spec, {name: x.numpy() for name, x in maps.items()})
    if not nms:
        return decoded
    return [tuple(x[suppress(spec, *found)] for x in found) for found in decoded]


def check(outputs, expected) -> None:
    for boxes, scores, labels, reference in zip(*outputs, expected, strict=True):
        kept = scores > 0
        assert kept.sum() == len(reference[1]) > 10
        np.testing.assert_allclose(scores[kept], reference[1], atol=1e-6)
        assert labels[kept].tolist() == reference[2].tolist()
        np.testing.assert_allclose(boxes[kept], reference[0], atol=2e-5)


@pytest.mark.parametrize('nms', [False, True])
@pytest.mark.parametrize('variant', VARIANTS)
def test_boxes_are_those_of_numpy(variant, nms):
    head = VARIANTS[variant]()
    spec, maps = task_specs(head)[0], maps_of(head, 0)
    outputs = [x.numpy() for x in Decoding(spec, nms)(maps)]
    check(outputs, expected_boxes(spec, maps, nms))


def test_limits_of_suppression():
    head = build_head(test_cfg=dict(HEAD.test_cfg, pre_max_size=100, post_max_size=12))
    spec, maps = task_specs(head)[0], maps_of(head, 0)
    expected = expected_boxes(spec, maps, True)
    assert [len(scores) for _, scores, _ in expected] == [12, 12]
    check([x.numpy() for x in Decoding(spec, True)(maps)], expected)


def test_greedy_frees_what_a_suppressed_box_would_suppress():
    chain = torch.diag(torch.ones(4), 1)[None]  # each suppresses the next
    assert greedy(chain).tolist() == [[True, False, True, False, True]]


def test_in_a_file():
    """The loop of the suppression runs as long as in PyTorch."""
    runtime = pytest.importorskip('onnxruntime')
    head = build_head(bbox_coder=dict(HEAD.bbox_coder, max_num=120))
    spec, maps = task_specs(head)[0], maps_of(head, 0)

    class Graph(nn.Module):
        def __init__(self):
            super().__init__()
            self.decoding = Decoding(spec, nms=True)

        def forward(self, *values):
            return self.decoding(dict(zip(maps, values, strict=True)))

    buffer = BytesIO()
    names = list(maps), list(BOXES)
    operators = write_onnx(Graph(), list(maps.values()), names, {}, buffer)
    assert operators['Loop'] == operators['TopK'] == 1
    session = runtime.InferenceSession(buffer.getvalue(), providers=['CPUExecutionProvider'])
    given = {name: x[1:].numpy() for name, x in maps.items()}
    expected = expected_boxes(spec, {name: x[1:] for name, x in maps.items()}, True)
    check(session.run(None, given), expected)
