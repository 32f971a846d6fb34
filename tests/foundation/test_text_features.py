import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hybrid_depth.errors import DamagedFileError, DepthDataError
from hybrid_depth.foundation import build_clip
from hybrid_depth.foundation.text_features import TextEncoder, TextFeatures
from tests.depth.encoders.tiny import TINY_CLIP

CFG = TINY_CLIP['model_cfg']


def encoder(seed=0):
    torch.manual_seed(seed)
    return TextEncoder(pretrained=None, model_cfg=CFG)


def test_features_are_those_of_the_tower(tmp_path):
    encode, texts = encoder(), ['a street', 'two cars', 'a street']
    features = TextFeatures.empty(encode).with_texts(texts, encode)
    features.write(tmp_path / 'text.safetensors')
    found = TextFeatures.read(tmp_path / 'text.safetensors')
    assert len(found.rows) == 2 and found.width == 64 and found.tower_sha256 == encode.digest
    torch.manual_seed(0)
    clip = build_clip('', None, CFG).eval()
    from open_clip import SimpleTokenizer

    with torch.no_grad():
        rows = clip.encode_text(SimpleTokenizer(context_length=16)(texts[:2]), normalize=True)
    for text, row in zip(texts, rows, strict=False):
        assert torch.allclose(found[text], row, atol=1e-3) and text in found


def test_equal_features_are_equal_files(tmp_path):
    """Several entries of the header came in random order, and digests of the file differed."""
    encode = encoder()
    features, contents = TextFeatures.empty(encode), set()
    for _ in range(8):
        features.write(tmp_path / 'text.safetensors')
        contents.add((tmp_path / 'text.safetensors').read_bytes())
    assert len(contents) == 1


def test_only_new_texts_run_the_tower(monkeypatch):
    encode = encoder()
    features = TextFeatures.empty(encode).with_texts(['a', 'b'], encode)
    seen = []
    monkeypatch.setattr(
        TextEncoder,
        '__call__',
        lambda self, texts: seen.extend(texts) or torch.ones(len(texts), 64),
    )
    more = features.with_texts(['b', 'c', 'c'], encode)
    assert seen == ['c'] and set(more.rows) > set(features.rows)
    assert torch.equal(more['a'], features['a']) and more['c'].unique().tolist() == [1]
    assert more.with_texts(['a'], encode) is more


def test_another_tower_is_refused():
    """Same name, other weights; the image tower does not count."""
    first, second = encoder(0), encoder(1)
    with pytest.raises(DepthDataError, match='the tower of the existing features'):
        TextFeatures.empty(first).with_texts(['a'], second)
    with torch.no_grad():
        for name, p in first.model.named_parameters():
            if name.startswith('visual'):
                p.zero_()
    from hybrid_depth.foundation.text_features import _digest

    assert _digest(first.model) == first.digest != second.digest


def test_a_text_without_feature():
    encode = encoder()
    with pytest.raises(DepthDataError, match="'a lake'.*make-text-features"):
        TextFeatures.empty(encode)['a lake']


def tensors(**changes):
    good = dict(digests=torch.zeros(2, 32, dtype=torch.uint8), features=torch.rand(2, 4).half())
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ('content', 'facts'),
    [
        (tensors(), {}),
        (tensors(), dict(tower='x')),
        (tensors(digests=None), dict(tower='y x')),
        (tensors(digests=torch.zeros(3, 32, dtype=torch.uint8)), dict(tower='y x')),
        (tensors(digests=torch.zeros(2, 32)), dict(tower='y x')),
        (tensors(features=torch.rand(2)), dict(tower='y x')),
        (tensors(features=torch.ones(2, 4).int()), dict(tower='y x')),
    ],
)
def test_other_files_are_refused(tmp_path, content, facts):
    save_file(content, tmp_path / 'f.safetensors', facts)
    with pytest.raises(DamagedFileError, match='f.safetensors: expected text features'):
        TextFeatures.read(tmp_path / 'f.safetensors')


def test_damaged_and_missing_files(tmp_path):
    path = tmp_path / 'f.safetensors'
    with pytest.raises(FileNotFoundError, match='make-text-features'):
        TextFeatures.read(path)
    save_file(tensors(), path, dict(tower='y x'))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DamagedFileError, match='damaged'):
        TextFeatures.read(path)
    np.save(tmp_path / 'array.npy', np.zeros(3))
    with pytest.raises(DamagedFileError, match='damaged'):
        TextFeatures.read(tmp_path / 'array.npy')
