import pytest
import torch

from hybrid_depth.datasets.captions import write_texts
from hybrid_depth.depth.transforms import LoadText
from hybrid_depth.errors import DepthDataError
from hybrid_depth.foundation.text_features import TextFeatures, text_digest

TEXTS = ['a street', 'near', 'far']
FEATURES = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])


@pytest.fixture
def files(tmp_path):
    rows = {text_digest(text): i for i, text in enumerate(TEXTS)}
    TextFeatures('tower', 'digest', FEATURES.half(), rows).write(tmp_path / 'f.safetensors')
    captions = {'a/0.png': ['a street'], 'a/1.png': ['a street', 'far'], 'a/2.png': ['a lake']}
    write_texts({**captions, 'a/3.png': []}, tmp_path / 'c.jsonl')
    write_texts({'a/0.png': ['near', 'far', 'far'], 'a/1.png': []}, tmp_path / 'o.jsonl')
    return dict(
        data_root=str(tmp_path),
        captions=str(tmp_path / 'c.jsonl'),
        features=str(tmp_path / 'f.safetensors'),
    )


def sample(files, number):
    return dict(img_paths={0: f'{files["data_root"]}/a/{number}.png'}, other=3)


def test_captions(files):
    load = LoadText(**files)
    assert load(sample(files, 0))['text'].tolist() == [1, 0, 0]
    assert load(sample(files, 1))['text'].tolist() == [0.5, 0, 0.5]
    assert load(sample(files, 0))['other'] == 3


def test_object_sentences_follow_as_their_mean(files):
    load = LoadText(**files, objects=files['captions'].replace('c.jsonl', 'o.jsonl'))
    expected = torch.cat([FEATURES[0], (FEATURES[1] + 2 * FEATURES[2]) / 3])
    assert torch.allclose(load(sample(files, 0))['text'], expected)
    assert load(sample(files, 1))['text'].tolist() == [0.5, 0, 0.5, 0, 0, 0]


@pytest.mark.parametrize(
    ('number', 'message'),
    [(2, "'a lake'.*make-text-features"), (3, 'caption of a/3.png'), (4, 'caption of a/4.png')],
)
def test_images_without_text(files, number, message):
    with pytest.raises(DepthDataError, match=message):
        LoadText(**files)(sample(files, number))


@pytest.mark.parametrize('name', ['captions', 'features', 'objects'])
def test_missing_files(files, name):
    with pytest.raises(FileNotFoundError, match='none'):
        LoadText(**{**files, name: 'none'})
