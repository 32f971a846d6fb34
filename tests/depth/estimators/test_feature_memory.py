"""Memory of a stream: what is kept and what is forgotten."""

import torch

from hybrid_depth.depth.estimators.feature_memory import FeatureMemory


def test_the_last_images_are_kept():
    memory, calls = FeatureMemory(2), []

    def encode(images):
        calls.append(images)
        return images.sum()

    images = torch.rand(3, 1, 3, 4, 6).unbind(0)
    for i in (0, 1, 0, 2, 1, 0):  # 0 was forgotten for 2
        assert memory(images[i].clone(), encode) == images[i].sum()
    assert [
        next(i for i in range(3) if image is images[i] or torch.equal(image, images[i]))
        for image in calls
    ] == [0, 1, 2, 0]
    assert memory(images[0][:, :, :2], encode) == images[0][:, :, :2].sum()


def test_without_length_nothing_is_kept():
    memory, calls = FeatureMemory(0), []
    image = torch.rand(1, 3, 4, 6)
    for _ in range(2):
        memory(image, calls.append)
    assert len(calls) == 2
