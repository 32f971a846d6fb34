import numpy as np
import pytest
import torch
from torch import nn

from hybrid_depth.foundation.prompts import DepthPrompts, clip_tokenizer
from tests.golden.reader import Golden

TOKENS = Golden('hybrid_depth_tokens')


def padded(ids: torch.Tensor) -> np.ndarray:
    return nn.functional.pad(ids, (0, 77 - ids.shape[1])).numpy()


def test_fixed_words():
    TOKENS.check('stage1', padded(DepthPrompts(width=4).ids), 0)


@pytest.mark.parametrize(('case', 'count'), [('stage2', 256), ('manydepth', 128)])
def test_learned_tokens(case, count):
    prompts = DepthPrompts(width=4, num_tokens=count)
    assert prompts.ids.shape == (count, 8)
    TOKENS.check(case, padded(prompts.ids), 0)
    assert set(prompts.end.tolist()) == {7}


def test_tokenizer_on_odd_strings():
    sentences = TOKENS.array('extra.sentences').tolist()
    TOKENS.check('extra', clip_tokenizer()(sentences, context_length=77), 0)


def test_learned_vector_replaces_the_depth_word():
    prompts = DepthPrompts(width=4, num_tokens=3, template='This {object} is {depth} away')
    vectors = prompts(nn.Embedding(49408, 4))
    at = prompts.learned_position
    assert torch.equal(vectors[:, at], prompts.tokens)
    assert prompts.ids[:, at].tolist() == [49408, 49409, 49410]
    assert torch.equal(vectors[0, at + 1], vectors[1, at + 1])
    assert prompts.ids[0, -1] == 49407 and prompts.end[0] == at + 2


def test_template_without_depth_is_rejected():
    with pytest.raises(ValueError, match='depth'):
        DepthPrompts(width=4, template='This {object} is near')
