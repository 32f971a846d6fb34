"""Test-time augmentation of depth models."""

import pytest
import torch
from mmengine.structures import BaseDataElement
from torch import nn

from hybrid_depth.checkpoints.unwrap import unwrapped
from hybrid_depth.depth.estimators import DepthDataPreprocessor, DepthTTA
from hybrid_depth.depth.estimators.tta import augmented
from hybrid_depth.errors import ConfigError
from hybrid_depth.geometry import DepthMap


class Model(nn.Module):
    """Depth model whose prediction is the red channel, times a factor in the left half."""

    kind, left = 'disparity', 1.0

    def __init__(self):
        super().__init__()
        self.data_preprocessor, self.seen = DepthDataPreprocessor(), []

    def test_step(self, data):
        raise NotImplementedError

    def predictions(self, inputs: dict) -> dict[str, DepthMap]:
        self.seen.append(inputs)
        values = inputs['images'][0][:, :1].clone()
        values[..., : values.shape[-1] // 2] *= self.left
        return {'': DepthMap(values, self.kind), 'other': DepthMap(values + 1, self.kind)}


def predict(model: Model, **options) -> BaseDataElement:
    images = torch.rand(2, 3, 64, 96)
    inputs = dict(images={0: list(images)}, cam2img=[torch.eye(3)] * 2)
    samples = [BaseDataElement(), BaseDataElement()]
    found = DepthTTA(model, **options).test_step(dict(inputs=inputs, data_samples=samples))
    assert len(found) == 2 and found[1].kind == model.kind
    return images, found[1]


def test_mirrored_predictions_are_mirrored_back():
    images, sample = predict(Model())
    torch.testing.assert_close(sample.pred_disparity, images[1, :1])
    torch.testing.assert_close(sample.pred_disparity_other, images[1, :1] + 1)


def test_the_mean_is_over_all_views():
    model = Model()
    model.left = 3.0  # in both halves of the mean of an image and its mirror image: (1 + 3) / 2
    images, sample = predict(model)
    torch.testing.assert_close(sample.pred_disparity, images[1, :1] * 2)
    assert len(model.seen) == 2


def test_scales():
    model = Model()
    _, sample = predict(model, scales=(0.5, 1.0, 1.6), flip=False)
    sizes = [tuple(inputs['images'][0].shape[-2:]) for inputs in model.seen]
    assert sizes == [(32, 64), (64, 96), (96, 160)]  # multiples of 32
    assert sample.pred_disparity.shape == (1, 64, 96)


def test_metric_depth_has_one_scale():
    model = Model()
    model.kind = 'metric'
    predict(model)
    with pytest.raises(ConfigError, match='no scales other than 1'):
        predict(model, scales=(1.0, 1.2))


@pytest.mark.parametrize('flip', [False, True])
def test_points_stay_on_their_pixels(flip):
    """Intrinsics of the mirrored world: x has the other sign there."""
    cam2img = torch.tensor([[[50.0, 0, 30], [0, 40, 20], [0, 0, 1]]])
    image = torch.zeros(1, 3, 64, 96)
    point = torch.tensor([0.4, 0.3, 1.0])
    u, v = (cam2img[0] @ point)[:2].round().long()
    image[..., v - 1 : v + 2, u - 1 : u + 2] = 1
    depth = image[:, :1] * 7
    found = augmented(dict(images={0: image}, cam2img=cam2img, physics_depth=depth), 2.0, flip)
    weights = found['images'][0][0, 0]
    assert weights.shape == (128, 192)
    rows, columns = torch.meshgrid(torch.arange(128.0), torch.arange(192.0), indexing='ij')
    centre = torch.stack([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()
    seen = point * torch.tensor([-1.0 if flip else 1.0, 1, 1])
    torch.testing.assert_close(centre, (found['cam2img'][0] @ seen)[:2], atol=0.1, rtol=0)
    assert found['physics_depth'].max() == 7 and found['physics_depth'].shape[-2:] == (128, 192)


def test_checkpoints_are_those_of_the_model_inside():
    model = Model()
    assert unwrapped(DepthTTA(model)) is model
