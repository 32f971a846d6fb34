"""Lightning files with OmegaConf objects are read, malicious ones rejected; no code is run."""

import collections
import os
import sys
import types
import typing
from pathlib import Path

import pytest
import torch

from hybrid_depth.checkpoints import UnsafeCheckpointError, load_checkpoint_file
from hybrid_depth.checkpoints.lightning_file import StandIn, load_lightning_file
from tests.checkpoints.test_safe_load import RunsCode


@pytest.fixture
def omegaconf(monkeypatch):
    """Library with the classes and states in pickles of OmegaConf 2.3; absent on loading."""
    classes = {}
    monkeypatch.setitem(sys.modules, 'omegaconf', types.ModuleType('omegaconf'))
    for module, name in (
        ('omegaconf.dictconfig', 'DictConfig'),
        ('omegaconf.listconfig', 'ListConfig'),
        ('omegaconf.nodes', 'AnyNode'),
        ('omegaconf.base', 'ContainerMetadata'),
    ):
        made = types.ModuleType(module)
        classes[name] = type(name, (), {'__module__': module})
        setattr(made, name, classes[name])
        monkeypatch.setitem(sys.modules, module, made)

    def remove() -> None:
        for module in [name for name in sys.modules if name.startswith('omegaconf')]:
            monkeypatch.delitem(sys.modules, module)

    return types.SimpleNamespace(**classes, remove=remove)


def settings(omegaconf):
    """Nested settings as OmegaConf pickles them."""
    meta = omegaconf.ContainerMetadata()
    meta.__dict__.update(
        ref_type=typing.Any, object_type=dict, key_type=int, resolver_cache={}, flags=None
    )
    meta.resolver_cache = collections.defaultdict(dict, {'a': {'b': 1}})
    node, listed, config = omegaconf.AnyNode(), omegaconf.ListConfig(), omegaconf.DictConfig()
    node.__dict__.update(_val=6, _parent=config)
    listed.__dict__.update(_content=[node], _metadata=meta)
    config.__dict__.update(_content=dict(batch_size=node, steps=listed), _metadata=meta)
    return config


def save(path, **extra):
    torch.save(dict(epoch=19, state_dict={'model.w': torch.ones(2)}, **extra), path)
    return path


def test_weights_are_read_without_settings(omegaconf, tmp_path):
    path = save(tmp_path / 'stage1.ckpt', hyper_parameters=settings(omegaconf))
    omegaconf.remove()
    with pytest.raises(UnsafeCheckpointError, match='omegaconf'):
        load_checkpoint_file(path)
    loaded = load_lightning_file(path)
    assert torch.equal(loaded['state_dict']['model.w'], torch.ones(2))
    assert loaded['epoch'] == 19
    assert type(loaded['hyper_parameters']) is StandIn and not vars(loaded['hyper_parameters'])
    with pytest.raises(UnsafeCheckpointError, match='omegaconf'):
        load_checkpoint_file(path)  # stand-ins are limited to that call


@pytest.mark.parametrize('where', ['posix.system', 'exec', 'getattr', 'mkdir'])
def test_malicious_files_do_not_run(omegaconf, tmp_path, where):
    marker = tmp_path / 'ran'
    malicious = {
        'posix.system': RunsCode(os.system, f'touch {marker}'),
        'exec': RunsCode(exec, f'open({str(marker)!r}, "w")'),
        'getattr': RunsCode(getattr, settings(omegaconf), '__class__'),
        'mkdir': RunsCode(Path.mkdir, marker),
    }[where]
    path = save(tmp_path / 'a.ckpt', hyper_parameters=settings(omegaconf), callbacks=malicious)
    omegaconf.remove()
    named = where if where in ('posix.system', 'exec') else 'builtins.getattr'
    with pytest.raises(UnsafeCheckpointError, match=named) as caught:
        load_lightning_file(path)
    assert 'do not' in str(caught.value).lower() and str(path) in str(caught.value)
    assert not marker.exists()


def test_stand_ins_do_not_import_classes(tmp_path):
    """A class named like one of OmegaConf's is never imported."""
    made = types.ModuleType('omegaconf')
    made.run = lambda *_: pytest.fail('code of the file ran')
    made.run.__module__, made.run.__qualname__, made.run.__name__ = 'omegaconf', 'run', 'run'
    sys.modules['omegaconf'] = made
    try:
        path = save(tmp_path / 'a.ckpt', hyper_parameters=RunsCode(made.run, 1))
        assert type(load_lightning_file(path)['hyper_parameters']) is StandIn
    finally:
        del sys.modules['omegaconf']


def test_damaged_and_missing_files_are_named(tmp_path):
    path = save(tmp_path / 'whole.ckpt', weights=torch.ones(1000))
    (tmp_path / 'cut.ckpt').write_bytes(path.read_bytes()[:900])
    with pytest.raises(RuntimeError, match='cut.ckpt: expected a complete checkpoint'):
        load_lightning_file(tmp_path / 'cut.ckpt')
    with pytest.raises(FileNotFoundError, match='absent.ckpt'):
        load_lightning_file(tmp_path / 'absent.ckpt')
