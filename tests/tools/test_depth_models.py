"""The table of depth models: its parameters and ratios are those of the models."""

import pytest
import torch

from benchmarks import depth_models


@pytest.fixture
def rows(capsys):
    """Numbers of each row of a quick run, by task and model; and the last line."""
    threads = torch.get_num_threads()
    depth_models.main(quick=True)
    torch.set_num_threads(threads)
    _, _, *lines, last = capsys.readouterr().out.splitlines()
    table = {}
    for line in lines:
        *_, parameters, flops, flops_ratio, seconds, ratio, mib, _ = line.replace('x', '').split()
        columns = (parameters, flops, flops_ratio, seconds, ratio, mib)
        table[line[:15].strip(), line[15:31].strip()] = [float(column) for column in columns]
    return table, last


def test_costs_of_the_models(rows):
    table, last = rows
    for task in ('inference', 'training step'):
        one, *others = (table[task, name] for name in depth_models.MODELS)
        assert one[2] == one[4] == 1
        for several in others:
            assert several[2] == pytest.approx(several[1] / one[1], abs=0.15)
            assert several[4] == pytest.approx(several[3] / one[3], rel=0.1)
            assert several[0] > one[0] and several[1] > one[1]
    assert ('in a stream', 'Monodepth2-R18') not in table
    for name in ('ManyDepth-R18', 'Mono-ViFI-R18'):  # what is not encoded again
        stream, alone = table['in a stream', name], table['inference', name]
        assert stream[0] == alone[0] and stream[1] < alone[1]
    # encoder 11.18 M (no classifier), decoder 3.15 M, pose net 12.49 M
    assert table['inference', 'Monodepth2-R18'][0] == pytest.approx(14.33, abs=0.01)
    assert table['training step', 'Monodepth2-R18'][0] == pytest.approx(26.83, abs=0.01)
    # ManyDepth needs no teacher for inference but its pose net, and a convolution of the costs
    reduced = 64 * (64 + 96) * 9 / 1e6
    assert table['inference', 'ManyDepth-R18'][0] == pytest.approx(26.83 + reduced, abs=0.01)
    assert table['training step', 'ManyDepth-R18'][0] == pytest.approx(
        26.83 + 14.33 + reduced, abs=0.01
    )
    assert last.startswith('cost volume: ') and last.endswith('of the inference of ManyDepth-R18')
