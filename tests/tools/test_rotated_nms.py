import pytest

from benchmarks import rotated_nms
from hybrid_depth import mmcv_ext


def test_ratio_against_shapely(monkeypatch, capsys):
    monkeypatch.setattr(rotated_nms, 'SIZES', ((60, 5),))
    monkeypatch.setattr(mmcv_ext, 'is_compiled', lambda: False)
    rotated_nms.main(repeats=1)
    header, columns, one, two = capsys.readouterr().out.splitlines()
    assert 'loop over shapely ms' in columns
    for threads, row in enumerate((one, two), 1):
        *counts, measured, reference, ratio = map(float, row.split())
        assert counts[0] == 60 and 5 <= counts[2] < 60 and counts[3] == threads
        assert ratio == pytest.approx(measured / reference, abs=0.02)


def test_different_boxes_are_an_error(monkeypatch):
    monkeypatch.setattr(rotated_nms, 'reference', lambda: ('none', lambda *_: [1]))
    with pytest.raises(RuntimeError, match='expected the kept boxes of none'):
        rotated_nms.main(repeats=1)
