"""`hybrid-depth infer-bev`: which keyframes a model sees, in which order."""

from types import SimpleNamespace

import pytest

pytest.importorskip('mmdet3d')
from hybrid_depth.inference import bev, bev_writer  # noqa: E402
from tests.conftest import ROOT  # noqa: E402
from tests.tools.run import run_tool  # noqa: E402


class Keyframes:
    """Data set of a model with a history, whose samples are their places."""

    sequence_length, metainfo = 3, dict(classes=())

    def __len__(self) -> int:
        return 5

    def __getitem__(self, place: int) -> int:
        return place

    def get_data_info(self, place: int) -> dict:
        return dict(token=f'token{place}')

    def sequences(self) -> list[list[int]]:
        return [[2, 0, 4], [1, 3]]


@pytest.mark.parametrize(
    ('arguments', 'inferred', 'written'),
    [
        ([], [2, 0], [0]),
        (['--index', '4', 'token3'], [2, 0, 4, 1, 3], [4, 3]),
        (['--all'], [2, 0, 4, 1, 3], [2, 0, 4, 1, 3]),
    ],
)
def test_earlier_frames_come_first_and_are_not_written(arguments, inferred, written, monkeypatch):
    seen, results = [], []

    def infer(_, packed: list) -> list:
        seen.extend(packed)
        return [SimpleNamespace(pred_instances_3d=SimpleNamespace(scores_3d=[0.5]))] * len(packed)

    monkeypatch.setattr(bev, 'init_bev_model', lambda *_: None)
    monkeypatch.setattr(bev, 'keyframes', lambda *_: Keyframes())
    monkeypatch.setattr(bev, 'infer_samples', infer)
    monkeypatch.setattr(bev_writer, 'write_keyframe', lambda _, place, *__: results.append(place))
    config = ROOT / 'configs/toy/bevdet_plain_toy.py'
    assert run_tool('infer_bev.py', 'infos.pkl', 'out', '--config', config, *arguments) is None
    assert (seen, results) == (inferred, written)


def test_a_model_with_a_history_takes_one_keyframe_at_a_time(monkeypatch):
    monkeypatch.setattr(bev, 'init_bev_model', lambda *_: None)
    monkeypatch.setattr(bev, 'keyframes', lambda *_: Keyframes())
    options = ('--config', ROOT / 'configs/toy/bevdet_plain_toy.py', '--batch-size', '2')
    error = run_tool('infer_bev.py', 'infos.pkl', 'out', *options)
    assert error.startswith('error: expected --batch-size 1') and error.endswith('got 2')
