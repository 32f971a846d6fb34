"""Weights that do not fit a model."""

import pytest
from torch import nn

from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError, load_strictly


def test_a_long_list_of_misfits_is_cut():
    """Ten layers of another width: eight of twenty tensors are listed."""
    narrow, wide = (nn.Sequential(*(nn.Linear(n, n) for _ in range(10))) for n in (2, 3))
    with pytest.raises(CheckpointMismatchError) as caught:
        load_strictly(narrow, wide.state_dict(), 'a.pth')
    lines = str(caught.value).splitlines()
    assert lines[0].startswith('a.pth: expected the weights of this Sequential')
    assert lines[1].count('instead of') == 8 and 'and 12 more' in lines[1]
