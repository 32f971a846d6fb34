"""Visualizations of a depth model's test run."""

import numpy as np
import pytest
import torch
from mmengine.registry import HOOKS
from mmengine.structures import BaseDataElement
from PIL import Image

from hybrid_depth.inference.depth import DepthResult
from hybrid_depth.inference.depth_visualization_hook import DepthVisualizationHook
from hybrid_depth.inference.depth_writer import render_depth


@pytest.fixture
def sample(tmp_path):
    """A predicted map of half the size of its image, on disk as `img.png`."""
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'img.png')
    meta = dict(name='drive_7', img_path=str(tmp_path / 'img.png'), kind='disparity')
    disparity = torch.tensor([[[1.0, 2, 4], [3.0, 4, 6]]])
    meta['kind'] = 'disparity'
    return BaseDataElement(metainfo=meta, pred_disparity=disparity.half())


def test_disparity_is_resized_to_the_image(sample, monkeypatch):
    """Half-pixel centres: new pixels are at one and three quarters between pixels."""
    written = []
    hook = DepthVisualizationHook('out')
    monkeypatch.setattr(hook.writer, 'write', written.append)
    hook.after_test_iter(None, 0, {}, [sample, sample])
    assert [result.name for result in written] == ['drive_7', 'drive_7']
    row = np.array([1, 1.25, 1.75, 2.5, 3.5, 4])
    expected = np.stack([row, row + 0.5, row + 1.5, row + 2])
    np.testing.assert_allclose(written[0].disparity, expected, rtol=1e-3)
    np.testing.assert_array_equal(written[0].image, np.asarray(Image.open(sample.img_path)))
    assert written[0].scale is None


def test_metric_depth_keeps_its_metres(sample, monkeypatch):
    written = []
    hook = DepthVisualizationHook('out')
    monkeypatch.setattr(hook.writer, 'write', written.append)
    metres = torch.full((1, 2, 3), 12.5)
    meta = dict(sample.metainfo, kind='metric')
    hook.after_test_iter(None, 0, {}, [BaseDataElement(metainfo=meta, pred_depth=metres)])
    assert written[0].kind == 'metric'
    np.testing.assert_allclose(written[0].depth, 12.5)


def test_one_image_a_sample_and_nothing_else(sample, tmp_path):
    out = tmp_path / 'out'
    hook = HOOKS.build(dict(type='DepthVisualizationHook', out_dir=str(out)))
    sample.set_metainfo(dict(ori_shape=(2, 3)))
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(sample.img_path)
    hook.after_test_iter(None, 0, {}, [sample])
    assert [path.relative_to(out).as_posix() for path in out.rglob('*.*')] == ['color/drive_7.png']
    result = DepthResult(
        '', np.zeros((2, 3, 3), np.uint8), sample.pred_disparity[0].float().numpy()
    )
    near, far = np.percentile(result.depth, (5, 95))
    expected = render_depth(result, float(f'{near:.3g}'), float(f'{far:.3g}'))
    np.testing.assert_array_equal(np.asarray(Image.open(out / 'color/drive_7.png')), expected)
