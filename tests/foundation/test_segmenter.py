"""Labels by a tiny random SegFormer, which the test writes in the layout of a real one."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from hybrid_depth.errors import HybridDepthError
from hybrid_depth.foundation.segmenter import Segmenter

NAMES = ['sky', 'road', 'giraffe']


@pytest.fixture(scope='module')
def segformer(tmp_path_factory):
    transformers = pytest.importorskip('transformers')
    config = transformers.SegformerConfig(
        depths=[1] * 4, hidden_sizes=[8] * 4, num_attention_heads=[1] * 4, decoder_hidden_size=8
    )
    config.id2label, config.label2id = dict(enumerate(NAMES)), {x: i for i, x in enumerate(NAMES)}
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp('segformer')
    transformers.SegformerForSemanticSegmentation(config).save_pretrained(folder)
    transformers.SegformerImageProcessor(size=dict(height=64, width=64)).save_pretrained(folder)
    assert (folder / 'model.safetensors').is_file()
    return folder


def test_labels_are_train_ids_at_the_size_of_the_image(segformer):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (30, 50, 3)).astype(np.uint8))
    segmenter = Segmenter(str(segformer))
    labels = segmenter(image)
    assert labels.shape == (30, 50) and labels.dtype == np.uint8
    assert set(np.unique(labels)) <= {0, 10, 255}
    assert segmenter.table.tolist() == [10, 0, 255]
    assert (labels == segmenter(image)).all()


def test_models_without_safetensors_or_roads_are_refused(segformer, tmp_path):
    with pytest.raises(HybridDepthError, match='semantic segmentation model'):
        Segmenter(str(tmp_path))
    import transformers

    model = transformers.SegformerForSemanticSegmentation.from_pretrained(segformer)
    model.config.id2label = {0: 'sky', 1: 'wall', 2: 'giraffe'}
    model.save_pretrained(tmp_path)
    transformers.SegformerImageProcessor().save_pretrained(tmp_path)
    with pytest.raises(HybridDepthError, match='classes of Cityscapes'):
        Segmenter(str(tmp_path))


def test_transformers_is_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, 'transformers', None)
    with pytest.raises(HybridDepthError, match='pip install'):
        Segmenter('any')
