"""Toy depth models through their files."""

import numpy as np
import pytest
import torch

pytest.importorskip('onnxruntime')
from hybrid_depth.depth.estimators.init import init_depth_model  # noqa: E402
from hybrid_depth.errors import ConfigError, DepthDataError  # noqa: E402
from hybrid_depth.export import OnnxDepth  # noqa: E402
from hybrid_depth.export.depth_model import (  # noqa: E402
    describe,
    example_inputs,
    export_depth_model,
    onnx_depth,
    torch_depth,
)
from tests.conftest import ROOT  # noqa: E402
from tests.export.numpy_alone import run_alone  # noqa: E402


def build(config: str, **options):
    with pytest.warns(UserWarning, match='random weights'):
        model = init_depth_model(ROOT / f'configs/{config}.py')
    for name, value in options.items():
        setattr(model, name, value)
    return model


@pytest.fixture(scope='module')
def single(tmp_path_factory):
    """(model, file, report) of a single-frame model whose depth grows with the focal length."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('onnx') / 'depth.onnx'
    model = build('toy/monodepth2_r18_toy', canonical_focal=100.0)
    return model, path, export_depth_model(model, path, size=(64, 96))


def test_report(single):
    _, path, report = single
    assert report.errors.keys() == {'depth'} and report.errors['depth'] < 1e-5
    assert report.megabytes == pytest.approx(path.stat().st_size / 1e6)
    assert report.operators['Conv'] == 31 and 'Conv 31' in str(report)


def test_any_batch_and_focal_length(single):
    model, path, _ = single
    network = OnnxDepth(path)
    assert network.spec.image_size == [64, 96] and network.spec.kind == 'disparity'
    inputs = example_inputs(network.spec)
    expected = torch_depth(model, inputs)
    one = network(inputs.frames[0][1], inputs.cam2img[1])
    np.testing.assert_allclose(one.values[0], expected[1], rtol=1e-4)
    assert np.allclose(one.depth(scale=5.0), 5.0 / one.values)
    twice = inputs.cam2img[1] * [[2], [2], [1]]
    np.testing.assert_allclose(network(inputs.frames[0][1], twice).values, one.values / 2, 1e-5)
    eight_bit = (inputs.frames[0] * 255).astype(np.uint8)
    same = network(eight_bit, inputs.cam2img), network(eight_bit / 255, inputs.cam2img)
    np.testing.assert_allclose(same[0].values, same[1].values, rtol=1e-4)


def test_half_precision(single, tmp_path):
    model, full, _ = single
    path = tmp_path / 'half.onnx'
    report = export_depth_model(model, path, size=(64, 96), precision='fp16')
    assert path.stat().st_size < 0.65 * full.stat().st_size
    assert 1e-6 < report.errors['depth'] < 5e-3


def test_depth_without_torch(single, tmp_path):
    code = (
        'from hybrid_depth.export import OnnxDepth\n'
        'found = OnnxDepth(file)(inputs["image"], inputs["cam2img"]).depth(5.4)'
    )
    network = OnnxDepth(single[1])
    inputs = example_inputs(network.spec)
    arrays = dict(image=inputs.frames[0][0], cam2img=inputs.cam2img[0])
    found = run_alone(code, single[1], tmp_path, **arrays)
    np.testing.assert_allclose(found, network(*arrays.values()).depth(5.4), rtol=1e-5)


def test_missing_or_wrong_inputs(single):
    network = OnnxDepth(single[1])
    inputs = example_inputs(network.spec)
    with pytest.raises(DepthDataError, match='expected the input cam2img'):
        network(inputs.frames)
    with pytest.raises(DepthDataError, match='expected the current frame 0'):
        network({-1: inputs.frames[0]})
    with pytest.raises(DepthDataError, match='finite intrinsics'):
        network(inputs.frames, np.eye(4))
    with pytest.raises(DepthDataError, match='singular'):
        network(inputs.frames, np.zeros((3, 3)))
    with pytest.raises(DepthDataError, match='network size'):
        network(inputs.frames[0][..., :-8], inputs.cam2img)


def test_cost_volume_of_given_motion(tmp_path):
    """ManyDepth with one frame before, and without: the same file."""
    model = build('toy/manydepth_r18_toy')
    report = export_depth_model(model, tmp_path / 'a.onnx')
    assert max(report.errors.values()) < 1e-4
    network = OnnxDepth(tmp_path / 'a.onnx')
    inputs = example_inputs(network.spec)
    two, one = onnx_depth(network, inputs), network({0: inputs.frames[0]}, inputs.cam2img).values
    assert np.abs(two - one).max() > 1e-4, 'the frame before matters'
    np.testing.assert_allclose(onnx_depth(network, inputs.first()), two[:1], rtol=1e-4)


def test_cost_volume_of_predicted_motion(tmp_path):
    """Two lookup frames, whose motions are chained; the earlier counts with the later one only."""
    model = build('manydepth/manydepth_r18_1xb12-20e_kitti-raw_192x640')
    model.lookups = (-1, -2)
    model.matching.depth_range.copy_(torch.tensor([0.5, 20.0]))
    report = export_depth_model(model, tmp_path / 'a.onnx', size=(64, 96))
    assert max(report.errors.values()) < 1e-4
    network = OnnxDepth(tmp_path / 'a.onnx')
    inputs = example_inputs(network.spec)
    for used in ((0, -1), (0, -2)):
        frames = {frame: inputs.frames[frame] for frame in used}
        found = network(frames, inputs.cam2img).values
        frames = {frame: torch.from_numpy(image.copy()) for frame, image in frames.items()}
        cameras = torch.from_numpy(inputs.cam2img).float()
        with torch.no_grad():
            expected = model.predict(frames, cameras).values[:, 0].numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_three_frames_and_one(tmp_path):
    model = build('toy/mono_vifi_r18_toy')
    assert export_depth_model(model, tmp_path / 'a.onnx').errors['depth'] < 1e-4
    network = OnnxDepth(tmp_path / 'a.onnx')
    inputs = example_inputs(network.spec)
    with pytest.raises(DepthDataError, match=r'expected frames \[0, -1, 1\], got \[0\]'):
        network(inputs.frames[0])
    alone = export_depth_model(model, tmp_path / 'b.onnx', frames=(0,))
    assert (
        alone.errors['depth'] < 1e-4
        and (tmp_path / 'b.onnx').stat().st_size < (tmp_path / 'a.onnx').stat().st_size
    )


@pytest.mark.parametrize('prior', ['EmbodiedPrior', 'GroundPlanePrior'])
def test_priors_are_inputs(prior, tmp_path):
    config = 'toy/monodepth2-prior_r18_toy'
    model = build(config)
    if prior == 'GroundPlanePrior':
        from hybrid_depth.depth.encoders.prior import GroundPlanePrior

        model.encoder.depth_prior = GroundPlanePrior(height=1.6, pitch=2.0)
    assert export_depth_model(model, tmp_path / 'a.onnx').errors['depth'] < 1e-4
    network = OnnxDepth(tmp_path / 'a.onnx')
    inputs = example_inputs(network.spec)
    usual = onnx_depth(network, inputs)
    if prior == 'EmbodiedPrior':
        other = network(inputs.frames, inputs.cam2img, 0 * inputs.physics_depth)
    else:
        other = network(inputs.frames, inputs.cam2img * [[0.5], [0.5], [1]])
    assert np.abs(usual - other.values).max() > 1e-4, 'the prior matters'


@pytest.mark.parametrize('name', ['embodiment', 'wordepth'])
def test_metric_depth_of_any_batch(name, tmp_path):
    """VisionLanguageEmbodiment takes embodied depth; neither takes text."""
    model = build(f'toy/{name}_toy')
    assert export_depth_model(model, tmp_path / 'a.onnx').errors['depth'] < 1e-4
    network = OnnxDepth(tmp_path / 'a.onnx')
    assert network.spec.kind == 'metric'
    inputs = example_inputs(network.spec)
    usual = onnx_depth(network, inputs)
    np.testing.assert_allclose(onnx_depth(network, inputs.first()), usual[:1], rtol=1e-4)
    other = network(inputs.frames, None, 0 * inputs.physics_depth).values
    assert (np.abs(usual - other).max() > 1e-4) == (name == 'embodiment')


def test_language_aligned_encoder(tmp_path):
    model = build('toy/monodepth2_hybrid_toy')
    assert export_depth_model(model, tmp_path / 'a.onnx').errors['depth'] < 1e-4


def test_sizes_and_frames_that_do_not_fit():
    model = build('toy/monodepth2_r18_toy', image_size=None)
    with pytest.raises(ConfigError, match='give --size H W'):
        describe(model)
    with pytest.raises(ConfigError, match=r'expected frames \(0,\), which Monodepth2 uses'):
        describe(model, (64, 96), (0, 1))
