"""Examples in docstrings run, and public functions have one."""

import doctest
import importlib
import inspect
from pathlib import Path

import pytest
import torch

import hybrid_depth
from hybrid_depth.optional import bev_problem
from tests.conftest import ROOT

PACKAGE = Path(hybrid_depth.__file__).parent
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
BEV = ('hybrid_depth.bev', 'hybrid_depth.inference.bev')  # needs mmdet3d


def modules_with_examples() -> list[str]:
    return sorted(
        '.'.join(('hybrid_depth', *path.relative_to(PACKAGE).with_suffix('').parts))
        for path in PACKAGE.rglob('*.py')
        if '>>> ' in path.read_text()
    )


@pytest.mark.filterwarnings('ignore:.*random weights')
@pytest.mark.parametrize('name', modules_with_examples())
def test_examples(name, monkeypatch):
    if name.startswith(BEV) and bev_problem():
        pytest.skip(bev_problem())
    monkeypatch.chdir(ROOT)  # examples use config paths
    module = importlib.import_module(name)
    failed, run = doctest.testmod(module, extraglobs=dict(torch=torch), optionflags=OPTIONS)
    assert run and not failed


@pytest.mark.parametrize(
    ('room', 'without'),
    [
        ('apis', set()),
        ('geometry', {'EmbodiedDepthMap', 'PillarView', 'Provenance'}),
        ('losses', set()),
        ('ops', {'PoolingPlan'}),
    ],
)
def test_public_names_have_examples(room, without):
    """Data classes are covered by the examples of the functions that use them."""
    module = importlib.import_module(f'hybrid_depth.{room}')
    bare = {name for name in module.__all__ if '>>> ' not in inspect.getdoc(getattr(module, name))}
    assert bare == without
