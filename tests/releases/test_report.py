"""Report of a conversion."""

from pathlib import Path

import torch

from hybrid_depth.releases.conversion import Conversion
from hybrid_depth.releases.report import conversion_report


def test_kept_derived_and_dropped_entries_are_told_apart():
    conversion = Conversion(
        state_dict={'net.a': torch.zeros(2), 'net.b': torch.zeros(3), 'text': torch.zeros(4)},
        files=[Path('a.pth')],
        config='own.py',
        overrides={'model.depth': 50},
        dropped={'fc.weight': 'unused', 'fc.bias': 'unused'},
        derived={'text': 'the text features'},
    )
    lines = conversion_report(conversion).splitlines()
    assert lines[0].startswith('kept: 2 tensors')
    assert [line.split() for line in lines[1:3]] == [['1', 'net.a'], ['1', 'net.b']]
    assert 'dropped: 2 entries' in lines and any(line.split() == ['2', 'unused:'] for line in lines)
    assert any('fc.bias, fc.weight' in line for line in lines)
    assert 'derived: 1 tensors' in lines and '  text: the text features' in lines
    assert lines[-1] == 'fits configs/own.py with model.depth=50: 3 tensors, 9 numbers'
