"""Every method has a README and a metafile that fit its configs, and numbers with a source."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch

from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.cli.convert_checkpoint import KINDS
from hybrid_depth.errors import ConfigError
from tests.configs.shipped import CONFIGS, METHODS, NAMES, metafile, read
from tests.conftest import ROOT
from tests.docs.test_citations import LINK, headings
from tests.docs.test_commands import LINE, TARGETS, check, commands

MODELS = [model for method in METHODS for model in metafile(method)['Models']]
each_model = pytest.mark.parametrize('model', MODELS, ids=lambda model: model['Name'])
RESULTS = 'docs/results.md'
PUBLISHED = re.compile(r'arXiv \d{4}\.\d{5}, table \d|README of github\.com/[\w-]+/[\w-]+')

FIXED = dict(DHRNetEncoder='hrnet_w18.ms_aug_in1k', IFRNet=None)  # None: named by the file


def work_name(path: Path) -> str:
    """Name of the config of work_dirs/NAME/epoch_N.pth, or of a checkpoint beside others."""
    return path.parent.name if path.stem.startswith('epoch_') else path.stem


def starts_from(node: object) -> Iterator[str]:
    """Names of the weights that a config's model starts from, in the spelling of the metafiles."""
    if isinstance(node, list | tuple):
        for item in node:
            yield from starts_from(item)
    elif isinstance(node, dict):
        if node.get('type') == 'Pretrained':
            yield node['checkpoint']
        if node.get('type') == 'EncoderWeights':  # work_dirs/<name of the config>/epoch_N.pth
            yield Path(node['checkpoint']).parent.name
        if node.get('type') in FIXED and node.get('pretrained') is not None:
            yield FIXED[node['type']] or work_name(Path(node['pretrained']))
        elif node.get('pretrained') is not None:
            name = node.get('name') or f'resnet{node["depth"]}'
            hub = node['pretrained'] == 'hub'  # the tag is in the name
            yield name if hub else f'{name}/{node["pretrained"]}'
        for value in node.values():
            yield from starts_from(value)


def section(heading: str) -> str:
    """Text of a section of the page of results."""
    assert heading in headings(ROOT / RESULTS)
    return re.split(r'^## ', (ROOT / RESULTS).read_text().split(f'## {heading}\n')[1], flags=re.M)[
        0
    ]


def test_every_folder_is_a_method():
    assert {path.parent.name for path in CONFIGS.glob('*/*.py')} == {*METHODS, '_base_', 'toy'}


def test_every_config_is_listed_once_and_every_listed_one_exists():
    listed = Counter(model['Config'] for model in MODELS)
    assert set(listed) == set(NAMES) and set(listed.values()) == {1}


@pytest.mark.parametrize('method', METHODS)
def test_folder(method):
    """The metafile lists the folder's own configs, and the README names all that it lists."""
    data = metafile(method)
    (collection,) = data['Collections']
    readme = Path(CONFIGS, method, 'README.md')
    assert ROOT / collection['README'] == readme
    assert collection['Paper']['URL'].startswith('https://arxiv.org/abs/')
    assert {m['In Collection'] for m in data['Models']} == {collection['Name']}
    configs = {model['Config'] for model in data['Models']}
    assert {name for name in NAMES if Path(name).parent == Path('configs', method)} <= configs
    text = readme.read_text()
    assert not {Path(name).name for name in configs if f'{Path(name).name}`' not in text}
    assert {'## Method', '## Results', '## Commands', '## Weights'} <= set(
        re.findall(r'^## .*', text, re.MULTILINE)
    )
    assert collection['Paper']['URL'] in LINK.findall(text)


@each_model
def test_weights_have_source_and_licence(model):
    """Those that the config starts from are listed; others are releases that can be converted."""
    assert model['Name'] == Path(model['Config']).stem
    weights = {entry['Name']: entry for entry in model['Weights']}
    wanted = set(starts_from(read(model['Config']).model.to_dict()))
    assert wanted <= set(weights)
    for name, entry in weights.items():
        assert entry['Source'] and entry['Licence']
        assert name in wanted or entry['Convert'] in KINDS
        if (known := timm.models.get_pretrained_cfg(name)) is not None:
            assert entry['Licence'].lower() == known.license


@each_model
def test_numbers_are_published_or_measured(model):
    """Measured ones are those of the cited section of docs/results.md."""
    assert {'Config', 'Weights', 'Results'} <= set(model)
    for result in model['Results']:
        assert result['Task'] and result['Dataset'] and result['Metrics']
        if result['Evidence'] == 'published':
            assert PUBLISHED.match(result['Source'])
            continue
        assert result['Evidence'] == 'measured' and result['Command']
        page, heading = re.fullmatch(r'(\S+), "(.+)"', result['Source']).groups()
        assert page == RESULTS
        found = {float(number) for number in re.findall(r'\d+\.\d+', section(heading))}
        assert set(result['Metrics'].values()) <= found


@each_model
def test_commands_are_valid(model):
    for command in {result['Command'] for result in model['Results'] if 'Command' in result}:
        if command.startswith('make '):
            assert command.split()[1] in TARGETS
        else:
            (words,) = commands(command, LINE)
            check(words)


@pytest.mark.slow
@each_model
def test_parameters(model):
    """On the meta device, except for models that compute features of their texts."""
    cfg = read(model['Config'])
    try:
        with torch.device('meta'):
            built = build_model(cfg)
    except ConfigError:
        built = build_model(cfg)
    number = sum(parameter.numel() for parameter in built.parameters())
    assert number / 1e6 == pytest.approx(model['Parameters'], abs=0.0051)


@pytest.mark.parametrize('method', METHODS)
def test_the_readme_has_the_numbers_of_the_metafile(method):
    readme = Path(CONFIGS, method, 'README.md').read_text()
    shown = {float(number) for number in re.findall(r'\d+\.\d+', readme)}
    results = [result for model in metafile(method)['Models'] for result in model['Results']]
    assert {number for result in results for number in result['Metrics'].values()} <= shown
