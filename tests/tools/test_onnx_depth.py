"""The table of depth models through their files, with a toy model on a toy drive."""

import pytest

pytest.importorskip('onnxruntime')
from benchmarks import onnx_depth  # noqa: E402


def test_a_row_for_each_number_of_frames(toy_kitti, monkeypatch, capsys):
    monkeypatch.setattr(onnx_depth, 'REPEATS', 1)
    model = 'toy/manydepth_r18_toy.py', dict(size=(64, 96))
    monkeypatch.setitem(onnx_depth.MODELS, 'toy', model)
    onnx_depth.main(str(toy_kitti), ['toy'])
    rows = [line.split('|')[1:-1] for line in capsys.readouterr().out.splitlines()[2:]]
    assert [[cell.strip() for cell in row[:3]] for row in rows] == [
        ['toy', '1', '64x96'],
        ['toy', '2', '64x96'],
    ]
    assert all(float(row[3]) < 1e-4 < float(row[6]) for row in rows)
