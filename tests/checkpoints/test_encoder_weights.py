"""Initialisation of stage 2 from stage 1."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from hybrid_depth.checkpoints import encoder_weights
from hybrid_depth.checkpoints.encoder_weights import EncoderWeights
from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError
from tests.conftest import ROOT
from tests.depth.encoders.tiny import TINY_DINO, TINY_HYBRID
from tests.depth.estimators.tiny import HYBRID

STAGE1 = dict(type='LanguageAlignment', encoder=dict(TINY_HYBRID, text=dict()))


@pytest.fixture
def stage1():
    torch.manual_seed(5)
    return MODELS.build(STAGE1)


@pytest.fixture
def file(stage1, tmp_path):
    path = tmp_path / 'stage1.pth'
    torch.save(dict(state_dict=stage1.state_dict(), meta=dict(epoch=1)), path)
    return str(path)


def started(file, encoder=TINY_HYBRID, **init):
    """A stage 2 model at the start of training, and its weights before initialisation."""
    torch.manual_seed(0)
    model = MODELS.build(
        dict(HYBRID, encoder=encoder, init_cfg=dict(type='EncoderWeights', checkpoint=file, **init))
    )
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.init_weights()
    return model, before


def test_encoder_is_loaded_except_the_learned_tokens(stage1, file, monkeypatch):
    logged = []
    monkeypatch.setattr(encoder_weights, 'print_log', lambda text, **_: logged.append(text))
    model, before = started(file)
    given = stage1.encoder.state_dict()
    for key, value in model.encoder.state_dict().items():
        expected = before[f'encoder.{key}'] if key == 'language.prompts.tokens' else given[key]
        assert torch.equal(value, expected), key
    others = [key for key in before if not key.startswith('encoder.')]
    assert all(torch.equal(model.state_dict()[key], before[key]) for key in others)
    assert f'{len(given)} tensors of the encoder loaded, 0 left out' in logged[0]
    assert "new: ['language.prompts.tokens'] of the encoder, and" in logged[0]


def test_text_features_are_those_of_the_loaded_tower(stage1, file):
    model = started(file)[0].eval()
    language = model.encoder.language
    with torch.no_grad():
        assert torch.allclose(language.matrix, language.tower(language.prompts), atol=1e-6)
    assert torch.equal(
        language.tower.text_projection, stage1.encoder.language.tower.text_projection
    )


def test_unexpected_parts_are_named(file):
    no_text = dict(TINY_HYBRID, text=None)
    with pytest.raises(CheckpointMismatchError, match=r'not in the model.*language.tower'):
        started(file, no_text)
    started(file, no_text, unused=('language',))
    dino = dict(type='HybridDepthEncoder', clip=None, dino=TINY_DINO)
    started(file, dino, unused=('clip', 'align', 'language'))


def test_missing_and_mismatched_tensors_are_named(file, tmp_path):
    checkpoint = torch.load(file, weights_only=True)
    state = checkpoint['state_dict']
    del state['encoder.align.1.weight']
    state['encoder.align.2.bias'] = torch.zeros(3)
    torch.save(checkpoint, tmp_path / 'odd.pth')
    with pytest.raises(CheckpointMismatchError) as error:
        started(str(tmp_path / 'odd.pth'))
    assert "1 not in the file: ['align.1.weight']" in str(error.value)
    assert "1 of another shape: ['align.2.bias: [3] instead of [32]']" in str(error.value)


def test_missing_stage_1_checkpoint_has_instructions(tmp_path):
    with pytest.raises(FileNotFoundError, match='-stage1_clip-dinov2_.*init_cfg=None'):
        EncoderWeights(str(tmp_path / 'none.pth'))(torch.nn.Module())


@pytest.mark.parametrize('with_prior', [False, True])
def test_encoder_of_a_depth_model_initialises_a_detector(stage1, file, with_prior):
    """Configured by `init_cfg`: only the depth net's encoder is changed, the tower of one with a
    prior."""
    pytest.importorskip('mmdet3d')
    cfg = Config.fromfile(ROOT / 'configs/toy/bevdet_hybrid_toy.py')
    part = 'img_view_transformer.depth_net'
    encoder = cfg.model.img_view_transformer.depth_net.encoder
    encoder.encoder = dict(TINY_HYBRID)
    if not with_prior:
        cfg.model.img_view_transformer.depth_net.encoder = encoder.encoder
    cfg.model.init_cfg = dict(type='EncoderWeights', checkpoint=file, part=part)
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        model = MODELS.build(cfg.model)
        model.init_weights()
    given = stage1.encoder.state_dict()
    for key, value in model.get_submodule(part).encoder.tower.state_dict().items():
        assert key == 'language.prompts.tokens' or torch.equal(value, given[key]), key


def test_new_parts_that_the_checkpoint_has_are_loaded(file, stage1):
    """`new` names what may be missing."""
    model, _ = started(file, new=('language.prompts', 'align'))
    given = stage1.encoder.state_dict()
    for key, value in model.encoder.state_dict().items():
        assert key == 'language.prompts.tokens' or torch.equal(value, given[key]), key
