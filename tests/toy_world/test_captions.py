import numpy as np
import pytest

from hybrid_depth.datasets.captions import read_texts
from hybrid_depth.toy_world.captions import caption
from hybrid_depth.toy_world.labels import LabelImages
from hybrid_depth.toy_world.surfaces import SEMANTIC_IDS
from hybrid_depth.toy_world.world import World

SIZE = (64, 36)


def labelled(scene, **instances):
    """Labels of a road on which actors of the given names have so many pixels."""
    instance, start = np.zeros(SIZE[::-1], np.uint16).ravel(), 0
    left = list(enumerate(scene.actors, 1))
    for name, pixels in instances.items():
        number = next(i for i, actor in left if actor.name == name.rstrip('_'))
        left = [(i, actor) for i, actor in left if i != number]
        instance[start : start + pixels] = number
        start += pixels
    semantic = np.full(SIZE[::-1], SEMANTIC_IDS['road'], np.uint8)
    return LabelImages(semantic, instance.reshape(SIZE[::-1]), np.zeros_like(semantic))


@pytest.fixture(scope='module')
def scene():
    return World(scenes=2, keyframes=2, size=SIZE, seed=0).scene(0)


def test_classes_and_counts(scene):
    assert caption(scene, labelled(scene, car=50, car_=12)) == 'a street with two cars'
    labels = labelled(scene, car=50, truck=40, pedestrian=30)
    assert caption(scene, labels) == 'a street with a car, a pedestrian and a truck'
    assert caption(scene, labelled(scene, car=11)) == 'an empty street'  # too small to see


def test_scenery(scene):
    labels = labelled(scene)
    labels.semantic[:10] = SEMANTIC_IDS['building']
    labels.semantic[10:12] = SEMANTIC_IDS['tree']
    assert caption(scene, labels) == 'an empty street, between buildings and trees'


def test_every_layout_has_a_caption_of_every_image(toy_kitti, toy_nuscenes, toy_lanes):
    for root, images in (
        (toy_kitti, toy_kitti.glob('*/*/image_0?/data/*.png')),
        (toy_nuscenes, [*toy_nuscenes.glob('samples/CAM*/*'), *toy_nuscenes.glob('sweeps/CAM*/*')]),
        (toy_lanes, toy_lanes.glob('clips/*/*/*.jpg')),
    ):
        texts = read_texts(root / 'captions.jsonl')
        assert set(texts) == {path.relative_to(root).as_posix() for path in images}
        assert all(len(text) == 1 and 'street' in text[0] for text in texts.values())
