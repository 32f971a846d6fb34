"""Stand-in for mmcv's compiled ops."""

import sys

import pytest

from hybrid_depth import mmcv_ext


def test_other_finders_come_first(monkeypatch):
    """So that compiled ops are used where they are installed."""
    others = [finder for finder in sys.meta_path if not isinstance(finder, mmcv_ext._Finder)]
    monkeypatch.setattr(sys, 'meta_path', list(others))
    mmcv_ext.install()
    mmcv_ext.install()
    assert sys.meta_path[:-1] == others and isinstance(sys.meta_path[-1], mmcv_ext._Finder)


def test_ops_exist_and_raise_when_they_are_called():
    finder = mmcv_ext._Finder()
    ops = finder.create_module(finder.find_spec('mmcv._ext'))
    assert finder.find_spec('mmcv.ops') is None and not hasattr(ops, '__path__')
    with pytest.raises(mmcv_ext.MissingOpError, match="'nms_rotated'.*got mmcv-lite"):
        ops.nms_rotated(1, 2)
