import re

import pytest

pytest.importorskip('mmdet3d')
from benchmarks import scaling  # noqa: E402


@pytest.mark.parametrize('power', [0, 1, 1.5])
def test_exponent_of_a_power_law(power):
    sizes = [1, 5, 30]
    assert scaling.exponent(sizes, [7 * size**power for size in sizes]) == pytest.approx(power)


def test_every_part_has_a_cost_at_every_size(capsys, monkeypatch):
    chosen = [sweep for sweep in scaling.sweeps(quick=True) if sweep[0] in ('image', 'samples')]
    monkeypatch.setattr(scaling, 'sweeps', lambda quick: chosen)
    scaling.main(quick=True)
    rows = re.findall(
        r'^(.+?), (?:s|MiB) +(\S+) +(\S+) +(-?[\d.]+)$', capsys.readouterr().out, re.M
    )
    parts = [part for part, *_ in rows]
    assert len(rows) == 2 * (3 + 3) and parts.count('BEVDet-R50, forward') == 2
    assert all(float(cost) >= 0 for _, *costs, _ in rows for cost in costs)
