import pytest
import torch

from hybrid_depth.releases.hybrid_encoder_keys import DROPPED, convert_encoder_keys
from tests.releases.official_encoder import official_shapes


def test_every_official_key_is_used_or_dropped_with_a_reason():
    shapes = official_shapes('stage2/encoder.pth')
    official = {key: torch.empty(shape, device='meta') for key, shape in shapes.items()}
    converted, dropped = convert_encoder_keys({**official, 'height': 224, 'use_stereo': False})
    assert len(official) == 926
    assert converted['language.prompts.tokens'].shape == (256, 512)
    assert len(converted) - 1 + 256 + len(dropped) == 926 + 2
    assert set(dropped.values()) <= set(DROPPED.values())


def test_tokens_are_stacked_by_number_not_by_name():
    rows = {f'extra_tkns_learnables_depth.{i}': torch.full((1, 4), float(i)) for i in range(12)}
    shuffled = dict(sorted(rows.items()))
    stacked = convert_encoder_keys(shuffled)[0]['language.prompts.tokens']
    assert stacked[:, 0].tolist() == list(range(12))


def test_unexpected_key_is_rejected():
    with pytest.raises(KeyError, match='depth_head.projects.0.weight'):
        convert_encoder_keys({'depth_head.projects.0.weight': torch.zeros(1)})
