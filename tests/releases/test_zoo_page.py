"""What the zoo prints, and docs/zoo.md, which is made from the metafiles."""

import re

import pytest

from hybrid_depth.errors import ConfigError
from hybrid_depth.releases.zoo import releases
from hybrid_depth.releases.zoo_page import description, listing, page
from tests.configs.shipped import METHODS, metafile
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _no_weights(tmp_path, monkeypatch):
    monkeypatch.setenv('HYBRID_DEPTH_WEIGHTS', str(tmp_path))


def test_the_page_is_up_to_date():
    assert (ROOT / 'docs/zoo.md').read_text() == page(), 'run: hybrid-depth zoo page docs/zoo.md'


def test_the_page_has_every_number_with_its_source():
    text = page()
    for method in METHODS:
        for model in metafile(method)['Models']:
            (row,) = [
                line
                for line in text.splitlines()
                if line.startswith(f'| `{model["Config"].removeprefix("configs/")}` | ')
                and line.count('|') == 7
            ]
            *_, published, measured, _ = row.split('|')
            for result in model['Results']:
                cell = published if result['Evidence'] == 'published' else measured
                source = result.get('Command', result['Source'])
                assert source in cell
                for name, value in result['Metrics'].items():
                    shown = re.findall(rf'\b{name} ([\d.]+)', cell)
                    assert value in map(float, shown)


def test_listing():
    head, *rows = listing().splitlines()
    assert head.split() == ['name', 'for', 'from', 'licence']
    assert [row.split()[0] for row in rows] == list(releases())
    assert 'by hand' in rows[0] and any('download' in row for row in rows)


def test_description():
    text = description('hybrid_depth_stage2')
    assert 'licence: none stated' in text and 'recorded at the first download' in text
    assert text.count('address: https://huggingface.co/WenyaoZhang/Hybrid-depth/') == 4
    text = description('bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704')
    assert 'published: mAP 0.313, NDS 0.398' in text and 'parameters: 44.25 M' in text
    with pytest.raises(ConfigError, match='zoo list'):
        description('monodepth3')
