"""Weights that do not fit a model."""

import pytest
from torch import nn

from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError, load_strictly


def test_a_long_list_of_misfits_is_cut():
    """Ten layers of another width: twelve of twenty lines are shown."""
    narrow, wide = (nn.Sequential(*(nn.Linear(n, n) for _ in range(10))) for n in (2, 3))
    with pytest.raises(CheckpointMismatchError) as caught:
        load_strictly(narrow, wide.state_dict(), 'a.pth')
    lines = str(caught.value).splitlines()
    assert lines[0].startswith('a.pth: expected the weights of this Sequential')
    assert sum('size mismatch' in line for line in lines) == 12
    assert lines[-2].strip() == 'and 8 more'
