import json

import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.tusimple import TuSimpleLaneDataset
from hybrid_depth.depth.transforms.jitter import JitterFrames
from hybrid_depth.depth.transforms.load import LoadFrames
from hybrid_depth.depth.transforms.pack import PackFrames
from hybrid_depth.depth.transforms.resize import ResizeShortSide
from hybrid_depth.errors import DepthDataError

LABEL = dict(
    raw_file='clips/0313/1/20.jpg',
    h_samples=[300, 310, 320],
    lanes=[[-2, 600, 590], [700, 710, -2]],
)


def write(root, *labels):
    lines = [label if isinstance(label, str) else json.dumps(label) for label in labels]
    (root / 'train_label_data.json').write_text('\n'.join(lines))
    path = root / LABEL['raw_file']
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (1280, 720), (9, 99, 199)).save(path)
    return str(root)


def test_lanes_and_image(tmp_path):
    pipeline = [LoadFrames(), ResizeShortSide(), JitterFrames(prob=1), PackFrames()]
    dataset = TuSimpleLaneDataset(data_root=write(tmp_path, LABEL), pipeline=pipeline)
    item = dataset[0]
    sample = item['data_samples']
    # docs/reference/hybrid_depth.md, "Lane labels"
    assert item['inputs']['augmented'][0].shape == (3, 224, 392)
    np.testing.assert_array_equal(sample.lanes, LABEL['lanes'])
    np.testing.assert_array_equal(sample.lane_rows, LABEL['h_samples'])
    assert (sample.ori_shape, sample.img_shape) == ((720, 1280), (224, 392))
    assert sample.name == 'clips_0313_1_20'
    assert 'cam2img' not in item['inputs']


def test_images_without_lanes(tmp_path):
    dataset = TuSimpleLaneDataset(data_root=write(tmp_path, dict(LABEL, lanes=[])))
    assert dataset[0]['lanes'].shape == (0, 3)


def test_bad_labels_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='train_label_data.json'):
        TuSimpleLaneDataset(data_root=str(tmp_path))
    for bad in (
        '{"raw_file": ',
        '[1, 2]',
        json.dumps(dict(raw_file='x')),
        json.dumps(dict(LABEL, raw_file='')),
    ):
        with pytest.raises(DepthDataError, match='line 2: expected one JSON object'):
            TuSimpleLaneDataset(data_root=write(tmp_path, LABEL, bad))
    with pytest.raises(DepthDataError, match='expected finite pixels'):
        TuSimpleLaneDataset(data_root=write(tmp_path, dict(LABEL, lanes=[[10**40, 1, 2]])))
    with pytest.raises(DepthDataError, match=r'expected 3 points per lane.*\[2\]'):
        TuSimpleLaneDataset(data_root=write(tmp_path, dict(LABEL, lanes=[[1, 2]])))
    for absent in ('clips/no.jpg', 300 * 'a' + '.jpg'):  # the second is no possible name
        with pytest.raises(FileNotFoundError, match='2 labels, 1 of images that do not exist'):
            TuSimpleLaneDataset(data_root=write(tmp_path, LABEL, dict(LABEL, raw_file=absent)))
