"""Input of a depth model from a detector's augmented images."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hybrid_depth.bev.transforms.image_augmentation import ImageAugmentationParams
from hybrid_depth.errors import ConfigError
from hybrid_depth.geometry import CameraRig, DepthMap
from hybrid_depth.pseudo_depth.model import PseudoDepth
from hybrid_depth.pseudo_depth.transform import resample
from hybrid_depth.pseudo_depth.view import ModelView
from tests.pseudo_depth.test_model import FACTOR, SIZE, ReadsChannel, drive, inputs_of, street

__all__ = ['street']  # a fixture

AUGMENTATIONS = {
    'whole': ImageAugmentationParams(1.0, (64, 32), (0, 0, 64, 32)),
    'lower part': ImageAugmentationParams(1.0, (64, 32), (0, 12, 64, 32)),
    'enlarged': ImageAugmentationParams(2.0, (128, 64), (4, 24, 124, 64)),
    'mirrored': ImageAugmentationParams(2.0, (128, 64), (4, 24, 124, 64), flip=True),
    'turned': ImageAugmentationParams(1.5, (96, 48), (4, 8, 92, 48), rotate=5.0),
    'beyond the image': ImageAugmentationParams(1.0, (64, 32), (-8, 4, 72, 40)),
}


def augmented(inputs: dict, params: ImageAugmentationParams) -> dict:
    """A frame as from `ImageAugmentation`, black outside the image."""
    affine = params.matrix()
    size = (params.crop[2] - params.crop[0], params.crop[3] - params.crop[1])
    disparity = resample(inputs['imgs'][0, 0, 0].numpy(), np.linalg.inv(affine), size)
    images = torch.zeros(1, 1, 3, *size[::-1])
    images[0, 0, 0] = torch.from_numpy(disparity)
    return dict(
        imgs=images, rig=replace(inputs['rig'], img_aug=torch.from_numpy(affine)[None, None])
    )


@pytest.mark.parametrize('params', AUGMENTATIONS.values(), ids=AUGMENTATIONS)
def test_metric_depth_of_augmented_images(params, street):
    inputs = augmented(inputs_of(street), params)
    view = ModelView(PseudoDepth(ReadsChannel(), mirror_tolerance=9.0), SIZE)
    depth, scale = view(inputs)
    assert float(scale.scale) == pytest.approx(FACTOR, rel=0.02)
    disparity = inputs['imgs'][:, :, 0]
    inside, truth = disparity > 0, FACTOR / disparity
    assert depth.shape == disparity.shape
    known = inside & (depth > 0)
    assert known.sum() > 0.9 * inside.sum()
    assert ((depth / truth)[known] - 1).abs().quantile(0.9) < 0.05
    assert view.known == pytest.approx((depth > 0).float().mean().item())


def test_cameras_of_several_image_sizes(street):
    """The second camera has images of twice the size, which the detector's resize halves."""
    inputs = inputs_of(street)
    rig = CameraRig(
        *(torch.cat([x, x], 1) if x.dim() == 4 else x for x in vars(inputs['rig']).values())
    )
    double = torch.diag(torch.tensor([2.0, 2.0, 1.0], dtype=rig.cam2img.dtype))
    rig.cam2img[:, 1] = double @ rig.cam2img[:, 1]
    rig.img_aug[:, 1] = double.inverse()
    inputs = dict(imgs=inputs['imgs'].repeat(1, 2, 1, 1, 1), rig=rig)
    source = PseudoDepth(ReadsChannel(), mirror_tolerance=9.0)
    depth, scale = ModelView(source, [SIZE, (64, 128)])(inputs)
    assert scale.scale.tolist() == pytest.approx([FACTOR, FACTOR], rel=0.02)
    torch.testing.assert_close(depth[0, 1], depth[0, 0], rtol=0.02, atol=0)
    assert (depth > 0).float().mean() > 0.9
    one_size, _ = ModelView(source, SIZE)(inputs)  # a part of the second camera's images
    assert (one_size[0, 1] > 0).float().mean() < 0.5


def test_resized_crops_do_not_match_the_ground(street):
    """Motivation of the view: only the lower part of the image, stretched to the model's height."""
    inputs = augmented(inputs_of(street), AUGMENTATIONS['lower part'])

    class FixedHorizon(ReadsChannel):
        """Predicts the street of the complete image for any input."""

        def predict(self, frames, cameras):
            disparity = (FACTOR / street).expand(len(frames[0]), 1, *SIZE)
            return DepthMap(disparity, 'disparity')

    source = PseudoDepth(FixedHorizon(), mirror_tolerance=9.0)
    assert not source(inputs)[1].valid
    assert ModelView(source, SIZE)(inputs)[1].valid


def test_lidar_ground_mask_and_previous_frame_are_warped_too(street):
    inputs, params = inputs_of(street), AUGMENTATIONS['enlarged']
    shown = augmented(inputs, params)
    shown['adjacent'] = [augmented(drive(inputs, 3.0), params)]
    shown['gt_depth'] = 2 * FACTOR / shown['imgs'][:, :, 0]
    shown['ground_mask'] = torch.ones(shown['gt_depth'].shape, dtype=torch.bool)
    before = {name: shown[name].clone() for name in ('imgs', 'gt_depth', 'ground_mask')}
    source = PseudoDepth(ReadsChannel(), 'lidar', 9.0, 80.0, 0.15)
    depth, scale = ModelView(source, SIZE)(shown)
    assert float(scale.scale) == pytest.approx(2 * FACTOR, rel=0.02)
    source = PseudoDepth(ReadsChannel(), 'ground', 9.0, 80.0, 0.15)
    depth, scale = ModelView(source, SIZE)(shown)
    assert float(scale.scale) == pytest.approx(FACTOR, rel=0.02)
    assert (depth > 0).float().mean() > 0.8
    assert depth.shape == shown['gt_depth'].shape
    # the detector's inputs are unchanged
    assert all(torch.equal(shown[name], value) for name, value in before.items())
    del shown['adjacent']
    with pytest.raises(KeyError, match='adjacent'):
        ModelView(source, SIZE)(shown)


def test_what_the_images_do_not_show_is_not_believed(street):
    """Twelve rows are cropped away; a model answers there too."""
    view = ModelView(PseudoDepth(ReadsChannel()), SIZE)
    shown = []

    def source(inputs):
        shown.append(inputs)
        return street, None

    view.source = source
    view(augmented(inputs_of(street), AUGMENTATIONS['lower part']))
    rows = torch.arange(SIZE[0])[:, None].expand(SIZE)
    assert torch.equal(shown[0]['visible'], (rows >= 12)[None, None])
    inputs = inputs_of(street)
    blind = torch.zeros(1, 1, *SIZE, dtype=torch.bool)
    assert (PseudoDepth(ReadsChannel(), 'none')(dict(inputs, visible=blind))[0] == 0).all()


def test_a_model_of_no_size_is_refused():
    model = ReadsChannel()
    model.image_size = None
    with pytest.raises(ConfigError, match='training size'):
        ModelView(PseudoDepth(model), SIZE)
