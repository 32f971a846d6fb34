"""Mono-ViFI with other encoders, its modes, its data and bad input."""

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.registry import MODELS

from hybrid_depth.datasets.kitti.raw import KittiRawDataset
from hybrid_depth.depth.transforms import (
    AffineFrames,
    FlipFrames,
    JitterFrames,
    LoadFrames,
    PackFrames,
    ResizeFrames,
)
from hybrid_depth.inference.depth import infer_depth
from tests.datasets import kitti_files
from tests.depth.encoders.tiny import TINY_HYBRID
from tests.depth.estimators.tiny import CONV_DECODER, DPT, TIMM, make_inputs

CFG = dict(
    type='MonoViFI',
    encoder=TIMM,
    decoder=dict(CONV_DECODER, scales=(0,)),
    pose_net=dict(type='ResNetPoseNet', depth=18),
    interpolation=dict(type='IFRNet', size='small'),
)


def build(**changes):
    torch.manual_seed(0)
    return MODELS.build({**CFG, **changes})


def test_a_step_from_files_to_gradients(tmp_path):
    root = kitti_files.write_raw_tree(tmp_path / 'kitti')
    split = kitti_files.write_list(tmp_path / 'list.txt', [1, 2])
    size = (96, 64)
    transforms = [LoadFrames(), FlipFrames(), AffineFrames(size), ResizeFrames(size)]
    pipeline = [*transforms, JitterFrames(prob=1, per_frame=True), PackFrames()]
    dataset = KittiRawDataset(
        data_root=str(root), split=split, pipeline=pipeline, frame_ids=(0, -1, 1)
    )
    model = build()
    data = model.data_preprocessor(default_collate([dataset[0], dataset[1]]), training=True)
    losses = model(**data, mode='loss')
    assert {'loss_photometric', 'loss_smoothness', 'loss_consistency'} < set(losses)
    model.parse_losses(losses)[0].backward()
    frozen = {n for n, p in model.named_parameters() if not p.requires_grad}
    assert frozen == {n for n, _ in model.named_parameters() if n.startswith('interpolation.')}
    without = {n for n, p in model.named_parameters() if p.grad is None} - frozen
    assert not without


def test_the_hybrid_encoder():
    """No public code has this combination: every trained part gets a gradient."""
    model = build(encoder=TINY_HYBRID, decoder=DPT)
    model.parse_losses(model(make_inputs(), mode='loss'))[0].backward()
    for part in (model.fusion, model.decoder_multi, model.decoder, model.encoder.align):
        assert all(p.grad is not None and p.grad.isfinite().all() for p in part.parameters())


@torch.no_grad()
def test_modes():
    model, frames = build().eval(), make_inputs()['images']
    with pytest.warns(UserWarning, match='single-frame mode'):
        single = model.predict({0: frames[0]})
    torch.testing.assert_close(single.values, model.disparity(frames[0]))
    several = model.predict(frames)
    assert several.kind == 'disparity' and several.values.shape == single.values.shape
    assert not torch.allclose(several.values, single.values)
    other = model.predict({**frames, 1: frames[1].flip(-1)})
    assert not torch.allclose(several.values, other.values)
    (first, _) = model(dict(images=frames), mode='predict')
    torch.testing.assert_close(first.pred_disparity, several.values[0])
    torch.testing.assert_close(first.pred_disparity_single_frame, single.values[0])


@torch.no_grad()
def test_the_interpolation_of_the_test():
    frames = make_inputs()['images']
    model = build(test_interpolation=dict(type='IFRNet', size='small')).eval()
    expected = model.predict(frames).values
    for parameter in model.interpolation.parameters():
        parameter.zero_()
    torch.testing.assert_close(model.predict(frames).values, expected)
    model.test_interpolation = None
    assert not torch.allclose(model.predict(frames).values, expected)


@torch.no_grad()
def test_a_video_needs_no_intrinsics():
    images = [kitti_files.image(i) for i in range(3)]
    arrays = [np.asarray(image) for image in images]
    with pytest.warns(UserWarning, match='single-frame mode'):
        results = infer_depth(build().eval(), arrays, size=(64, 96))
    assert [set(result.frames) for result in results][1] == {-1, 0, 1}


def test_what_is_shared():
    parts = dict(encoder=(None, True), all=(None, False), none=(True, True))
    for sharing, expected in parts.items():
        model = build(sharing=sharing)
        found = (model.encoder_multi, model.decoder_multi)
        assert [part is not None for part in found] == [bool(part) for part in expected]
        for mine, other in zip(found, (model.encoder, model.decoder), strict=True):
            if mine is not None:
                torch.testing.assert_close(mine.state_dict(), other.state_dict())


def test_interpolation_stays_in_evaluation_mode():
    model = build().train()
    assert model.training and not model.interpolation.training


def test_bad_input():
    with pytest.raises(ValueError, match="'encoder', 'all', 'none'"):
        build(sharing='some')
    with pytest.raises(ValueError, match='ResNetPoseNet, got PoseCNN'):
        build(pose_net=dict(type='PoseCNN'))
    model, inputs = build(), make_inputs()
    small = {**inputs['images'], 1: inputs['images'][1][..., :48]}
    with pytest.raises(ValueError, match='frames of one size'):
        model.predict(small)
    with pytest.raises(KeyError, match='frame_ids'):
        model(dict(inputs, images={0: small[0], -1: small[-1]}), mode='loss')
    with pytest.raises(KeyError, match='current frame'):
        model.predict({1: small[0]})
