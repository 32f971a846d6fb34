"""Trackers and optional packages."""

import pytest

from hybrid_depth import optional
from hybrid_depth.cli import make_parser, train
from hybrid_depth.engine.config import TRACKERS, add_trackers, read_config
from hybrid_depth.optional import AbsentPackageError


def test_trackers_are_added_to_the_files(monkeypatch):
    monkeypatch.setattr(optional, 'find_spec', lambda name: name)
    cfg = read_config('toy/bevdet_plain_toy.py')
    add_trackers(cfg, ['wandb', 'tensorboard'])
    kinds = [backend['type'] for backend in cfg.visualizer.vis_backends]
    assert kinds == ['LocalVisBackend', 'WandbVisBackend', 'TensorboardVisBackend']
    before = cfg.visualizer.to_dict()
    add_trackers(cfg, [])
    assert cfg.visualizer.to_dict() == before


@pytest.mark.parametrize('given', [None, 'http://localhost:5000'])
def test_mlflow_has_a_database_or_the_server_of_its_variable(given, monkeypatch):
    monkeypatch.setattr(optional, 'find_spec', lambda name: name)
    monkeypatch.delenv('MLFLOW_TRACKING_URI', raising=False)
    if given:
        monkeypatch.setenv('MLFLOW_TRACKING_URI', given)
    cfg = read_config('toy/bevdet_plain_toy.py')
    add_trackers(cfg, ['mlflow'])
    assert cfg.visualizer.vis_backends[-1].tracking_uri == (given or 'sqlite:///mlflow.db')


def test_an_absent_tracker_is_named(monkeypatch):
    monkeypatch.setattr(optional, 'find_spec', lambda name: None)
    with pytest.raises(AbsentPackageError, match='package mlflow, got none.*pip install mlflow'):
        add_trackers(read_config('toy/bevdet_plain_toy.py'), ['mlflow'])


def test_the_choices_of_the_command_line_are_all_trackers():
    parser = make_parser('train')
    train.add_arguments(parser)
    [tracker] = [action for action in parser._actions if action.dest == 'tracker']
    assert tracker.choices == list(TRACKERS)
