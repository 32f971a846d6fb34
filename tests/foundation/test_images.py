import numpy as np
import pytest
import torch
from PIL import Image

from hybrid_depth.foundation.images import (
    InputNormalization,
    _resize_weights,
    even_taps,
    resize_images,
    to_tensor,
)


def test_images_and_arrays_become_tensors_in_0_to_1_in_the_same_memory_order():
    pixels = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3) * 11
    for image in (pixels, Image.fromarray(pixels)):
        tensor = to_tensor(image)
        assert tensor.dtype == torch.float32 and tensor.permute(1, 2, 0).is_contiguous()
        assert np.array_equal(tensor.numpy(), pixels.transpose(2, 0, 1) / np.float32(255))


def test_none_changes_nothing():
    images = torch.rand(2, 3, 4, 5)
    assert torch.equal(InputNormalization()(images), images)


def test_bgr_swaps_before_statistics_in_the_order_written():
    images = torch.tensor([1.0, 0.5, 0.0]).view(1, 3, 1, 1)
    normalize = InputNormalization((0.5, 0.0, 0.0), (1.0, 1.0, 2.0), 'bgr')
    assert normalize(images).flatten().tolist() == [-0.5, 0.5, 0.5]


def test_statistics_are_not_saved_but_move_with_the_module():
    normalize = InputNormalization('imagenet', 'imagenet').double()
    assert normalize.state_dict() == {} and normalize.mean.dtype == torch.float64


@pytest.mark.parametrize(
    'images',
    [torch.rand(2, 6, 3, 4, 4), torch.rand(3, 4, 4), torch.zeros(1, 3, 4, 4, dtype=torch.uint8)],
)
def test_wrong_images_are_rejected(images):
    with pytest.raises(ValueError, match='expected RGB images'):
        InputNormalization()(images)


@pytest.mark.parametrize(
    'arguments',
    [dict(mean='imagent'), dict(std=(1.0, 1.0)), dict(channel_order='grb')],
)
def test_wrong_statistics_are_rejected(arguments):
    with pytest.raises(ValueError):
        InputNormalization(**arguments)


def test_resize_returns_images_of_equal_size_unchanged():
    images = torch.rand(1, 3, 6, 8)
    assert resize_images(images, (6, 8)) is images
    assert resize_images(images, (3, 4)).shape == (1, 3, 3, 4)


def test_even_taps():
    assert even_taps(12, 4) == (2, 5, 8, 11)
    assert even_taps(4, 4) == (0, 1, 2, 3)
    with pytest.raises(ValueError, match='expected 1 to 4 taps.*got 5'):
        even_taps(4, 5)


@pytest.mark.parametrize('sizes', [((12, 30), (5, 44)), ((16, 16), (14, 14)), ((7, 9), (7, 3))])
def test_resize_of_exported_models_is_the_same(sizes):
    """Two matrix products, as few runtimes of ONNX have an antialiased resize."""
    images = torch.rand(2, 3, *sizes[0])
    rows, columns = (_resize_weights(*pair).float() for pair in zip(*sizes, strict=True))
    torch.testing.assert_close(rows @ images @ columns.T, resize_images(images, sizes[1]))
