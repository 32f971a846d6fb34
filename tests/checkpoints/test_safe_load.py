import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging.history_buffer import HistoryBuffer
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader, load_from_http

import hybrid_depth.modules  # noqa: F401 (makes mmengine's loaders safe)
from hybrid_depth.checkpoints import UnsafeCheckpointError, load_checkpoint_file
from tests.engine.tiny import tiny_config


class RunsCode:
    """Object whose pickle calls a function when loaded."""

    def __init__(self, function, *arguments) -> None:
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


class Attribute:
    """Object whose pickle requests an attribute of an allowed class."""

    def __init__(self, owner, name) -> None:
        self.call = (getattr, (owner, name))

    def __reduce__(self):
        return self.call


def malicious_objects(marker: Path) -> dict:
    """Malicious objects by the name that the error must contain."""
    return {
        'posix.system': RunsCode(os.system, f'touch {marker}'),
        'pathlib.Path': RunsCode(Path.touch, marker),
        'exec': RunsCode(exec, f'open({str(marker)!r}, "w")'),
        'builtins.getattr': Attribute(HistoryBuffer, '__init__'),
    }


@pytest.fixture(params=['posix.system', 'pathlib.Path', 'exec', 'builtins.getattr'])
def malicious(request, tmp_path):
    """(checkpoint that would create a file, the file, name in the error)."""
    path, marker = tmp_path / 'malicious.pth', tmp_path / 'code-has-run'
    thing = malicious_objects(marker)[request.param]
    torch.save(dict(state_dict={'net.weight': torch.ones(2)}, meta=thing), path)
    return path, marker, request.param


def test_the_malicious_files_work(tmp_path):
    """Precondition of the tests below: an unsafe load runs the code."""
    path, marker = tmp_path / 'malicious.pth', tmp_path / 'code-has-run'
    torch.save(dict(meta=RunsCode(os.system, f'touch {marker}')), path)
    with open(tmp_path / 'plain.pkl', 'wb') as file:
        pickle.dump(RunsCode(os.system, f'touch {marker}'), file)
    with open(tmp_path / 'plain.pkl', 'rb') as file:
        pickle.load(file)
    assert marker.exists()


def test_malicious_checkpoint_is_rejected_without_running_code(malicious):
    path, marker, name = malicious
    with pytest.raises(UnsafeCheckpointError, match='do not trust') as caught:
        load_checkpoint_file(path)
    assert str(path) in str(caught.value)
    # the module differs: torch 2.6 writes builtins.exec, Python 3.13 pathlib._local.Path
    assert re.search(rf'got global ([\w.]+\.)?{name.split(".")[-1]}\b', str(caught.value))
    assert not marker.exists()


def test_a_plain_pickle_is_rejected_too(tmp_path):
    marker, path = tmp_path / 'ran', tmp_path / 'plain.pth'
    path.write_bytes(pickle.dumps(RunsCode(os.system, f'touch {marker}')))
    with pytest.raises(UnsafeCheckpointError, match='got another kind of pickle'):
        load_checkpoint_file(path)
    assert not marker.exists()


def test_mmengine_rejects_it_too(malicious, tmp_path):
    path, marker, _ = malicious
    with pytest.raises(UnsafeCheckpointError):
        CheckpointLoader.load_checkpoint(str(path))
    runner = Runner.from_cfg(tiny_config(tmp_path / 'work'))
    with pytest.raises(UnsafeCheckpointError):
        runner.load_checkpoint(str(path))
    assert not marker.exists()


def test_urls_are_read_with_weights_only(malicious, tmp_path):
    """torch.hub, through which mmengine downloads, runs code by default."""
    path, marker, _ = malicious
    with pytest.raises(UnsafeCheckpointError):
        load_from_http(path.as_uri(), model_dir=str(tmp_path / 'downloads'))
    assert not marker.exists()


def test_runner_saves_and_resumes(tmp_path):
    cfg = tiny_config(tmp_path)
    Runner.from_cfg(cfg).train()
    checkpoint = load_checkpoint_file(tmp_path / 'epoch_3.pth')
    assert isinstance(
        checkpoint['message_hub']['log_scalars']['train/loss'], HistoryBuffer
    )  # rejected by torch
    again = Config(dict(cfg, resume=True, load_from=str(tmp_path / 'epoch_2.pth')))
    again.work_dir = str(tmp_path / 'again')
    again.experiment_name = 'again'
    runner = Runner.from_cfg(again)
    runner.train()
    resumed = load_checkpoint_file(tmp_path / 'again' / 'epoch_3.pth')
    for part in ('state_dict', 'ema_state_dict'):
        for name, value in checkpoint[part].items():
            assert torch.equal(value, resumed[part][name]), (part, name)
    assert runner.message_hub.get_scalar('train/loss').data[0].size == 9


def test_numpy_in_checkpoints_is_read(tmp_path):
    saved = dict(score=np.float64(0.5), bins=np.arange(3.0), flags=np.array([True]))
    torch.save(saved, tmp_path / 'numpy.pth')
    loaded = load_checkpoint_file(tmp_path / 'numpy.pth')
    assert loaded['score'] == 0.5
    np.testing.assert_array_equal(loaded['bins'], saved['bins'])
    np.testing.assert_array_equal(loaded['flags'], saved['flags'])


def test_a_load_does_not_change_the_list_of_safe_classes(tmp_path):
    """torch's context manager removed the list on exit, for mmengine's loaders too."""
    torch.save(dict(score=np.float64(0.5)), tmp_path / 'numpy.pth')
    load_checkpoint_file(tmp_path / 'numpy.pth')
    assert torch.load(tmp_path / 'numpy.pth', weights_only=True)['score'] == 0.5


def test_numpy_arrays_of_objects_are_rejected(tmp_path):
    torch.save(dict(a=np.array([{}], dtype=object)), tmp_path / 'objects.pth')
    with pytest.raises(UnsafeCheckpointError):
        load_checkpoint_file(tmp_path / 'objects.pth')


def test_truncated_and_missing_files_are_named(tmp_path):
    whole, cut = tmp_path / 'whole.pth', tmp_path / 'cut.pth'
    torch.save(dict(a=torch.ones(1000)), whole)
    cut.write_bytes(whole.read_bytes()[:2000])
    with pytest.raises(RuntimeError, match='cut.pth: expected a complete checkpoint'):
        load_checkpoint_file(cut)
    with pytest.raises(FileNotFoundError, match='absent.pth'):
        load_checkpoint_file(tmp_path / 'absent.pth')
