import json

import numpy as np
import pytest

from hybrid_depth.datasets.label_images import write_label_image
from hybrid_depth.datasets.semantic_labels import SemanticLabels
from hybrid_depth.errors import DepthDataError

SIZE = (4, 3)


def folder(tmp_path, values):
    labels = np.array(values, np.uint8).reshape(SIZE[::-1])
    write_label_image(labels, tmp_path / 'labels' / 'a' / 'x.png')
    return tmp_path / 'labels', tmp_path / 'images' / 'a' / 'x.jpg'


def read(tmp_path, values, ids='train', size=SIZE):
    labels, image = folder(tmp_path, values)
    return SemanticLabels(labels, tmp_path / 'images', ids)(image, size).ravel().tolist()


def test_train_ids_are_kept(tmp_path):
    values = [*range(10), 18, 255]
    assert read(tmp_path, values) == values


def test_cityscapes_ids(tmp_path):
    # road, sidewalk, car, bicycle, ego vehicle, sky
    assert read(tmp_path, [7, 8, 26, 33, 1, 23] * 2, 'cityscapes') == [0, 1, 13, 18, 255, 10] * 2


def test_mapping_file(tmp_path):
    path = tmp_path / 'ids.json'
    path.write_text(json.dumps({'200': 0, '3': 255}))
    assert read(tmp_path, [200, 3] * 6, path) == [0, 255] * 6


@pytest.mark.parametrize('ids', ['train', 'cityscapes'])
def test_unknown_values_are_named(tmp_path, ids):
    with pytest.raises(DepthDataError, match=r'x.png.*values \[99\]'):
        read(tmp_path, [7, 99] * 6, ids)


def test_another_size(tmp_path):
    with pytest.raises(DepthDataError, match='4 x 3'):
        read(tmp_path, [0] * 12, size=(8, 6))


@pytest.mark.parametrize('text', ['[1]', '{', '{"a": 0}', '{"7": 19}', '{"-1": 0}'])
def test_bad_mappings(tmp_path, text):
    (tmp_path / 'ids.json').write_text(text)
    with pytest.raises(DepthDataError, match='ids.json'):
        read(tmp_path, [0] * 12, tmp_path / 'ids.json')


def test_missing_folder_label_and_mapping(tmp_path):
    with pytest.raises(FileNotFoundError, match='folder of label images'):
        SemanticLabels(tmp_path / 'none', tmp_path)
    labels, image = folder(tmp_path, [0] * 12)
    with pytest.raises(FileNotFoundError, match='does not exist'):
        SemanticLabels(labels, tmp_path / 'images')(image.with_name('y.jpg'), SIZE)
    with pytest.raises(FileNotFoundError, match='mapping file'):
        SemanticLabels(labels, tmp_path, 'coco')
