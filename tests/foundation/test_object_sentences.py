import inspect

import numpy as np
import pytest
import torch

from hybrid_depth.foundation import object_sentences as module
from hybrid_depth.foundation.object_sentences import object_sentences
from hybrid_depth.geometry import EmbodiedDepthMap
from hybrid_depth.geometry.embodied_depth import Provenance

SIZE = (12, 30)


def scene(objects, provenance=Provenance.VERTICAL):
    """Objects side by side: (id, metres, columns)."""
    depth = torch.full((1, 1, *SIZE), 3.0)
    origin = torch.full((1, 1, *SIZE), int(Provenance.ROAD), dtype=torch.uint8)
    ids, column = np.zeros(SIZE, np.uint16), 0
    for number, metres, width in objects:
        part = (slice(4, 10), slice(column, column + width))
        depth[(0, 0, *part)], ids[part] = metres, number
        origin[(0, 0, *part)] = int(provenance)
        column += width
    return EmbodiedDepthMap(depth, origin), ids


def test_words_and_ranks():
    found = object_sentences(*scene([(7, 30.0, 5), (300, 4.0, 5), (2, 60.0, 5), (9, 10.0, 4)]))
    assert found == [
        'This object seems to be very distant and ranks as the 1-th farthest in distance',
        'This object seems to be slightly distant and ranks as the 2-th farthest in distance',
        'This object seems to be slightly close and ranks as the 3-th farthest in distance',
        'This object seems to be very close and ranks as the 4-th farthest in distance',
    ]


def test_only_vertical_depth_counts():
    """Filled pixels are guesses, and an object's ground is not the object."""
    embodied, ids = scene([(1, 30.0, 5), (2, 9.0, 5)])
    embodied.depth[0, 0, 4:6, 0:5] = 70.0
    embodied.provenance[0, 0, 4:6, 0:5] = int(Provenance.FILLED)
    assert object_sentences(embodied, ids) == object_sentences(*scene([(1, 30.0, 5), (2, 9.0, 5)]))
    for origin in set(Provenance) - {Provenance.VERTICAL}:
        assert object_sentences(*scene([(1, 30.0, 5)], origin)) == []


def test_small_objects_are_left_out_and_the_largest_kept():
    embodied, ids = scene([(1, 30.0, 1), (2, 9.0, 5), (3, 40.0, 3)])
    assert len(object_sentences(embodied, ids, least_pixels=12)) == 2
    (only,) = object_sentences(embodied, ids, most_objects=1)
    assert 'slightly close' in only and '1-th' in only


def test_an_empty_street():
    assert object_sentences(*scene([])) == []


@pytest.mark.parametrize('truth', [torch.ones(1, 1, *SIZE), np.ones(SIZE), None])
def test_measured_depth_is_refused(truth):
    with pytest.raises(TypeError, match='never from measured depth'):
        object_sentences(truth, np.zeros(SIZE, np.uint16))


def test_there_is_no_way_for_the_truth_into_the_sentences():
    """Neither an argument nor an import of the module reads a file or a ground truth."""
    arguments = set(inspect.signature(object_sentences).parameters)
    assert arguments == {
        *('embodied', 'instances', 'words', 'edges', 'least_pixels', 'most_objects')
    }
    source = inspect.getsource(module)
    assert 'read_' not in source and 'open(' not in source and 'gt_' not in source


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(edges=(1.0, 2.0)), '6 edges for 7 words, got 2'),
        (dict(instances=np.zeros((3, 4), np.uint16)), r'instances \(H, W\)'),
        (dict(instances=np.zeros((1, *SIZE), np.uint16)), r'instances \(H, W\)'),
    ],
)
def test_bad_arguments(kwargs, message):
    embodied, ids = scene([(1, 30.0, 5)])
    with pytest.raises(ValueError, match=message):
        object_sentences(embodied, **{'instances': ids, **kwargs})
