import io
import os
import pickle
import re
import zipfile

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging.history_buffer import HistoryBuffer
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader, load_from_http

import hybrid_depth.modules  # noqa: F401 (makes mmengine's loaders safe)
from hybrid_depth.checkpoints import (
    DamagedCheckpointError,
    UnsafeCheckpointError,
    load_checkpoint_file,
)
from tests.engine.tiny import tiny_config
from tests.hostile import (
    FALSE_FLAGS,
    FILE_KINDS,
    Calls,
    hostile_file,
    lying_array,
    numpy_lies,
    payloads,
    said_type,
    written_by_hand,
)


@pytest.fixture(params=list(payloads('x')))
def hostile(request, tmp_path):
    """(a checkpoint that would make a file, the file)."""
    path, marker = tmp_path / 'hostile.pth', tmp_path / 'code-has-run'
    thing = payloads(marker)[request.param]
    torch.save(dict(state_dict={'net.weight': torch.ones(2)}, meta=dict(x=thing)), path)
    return path, marker


def test_the_hostile_files_are_real(tmp_path):
    """Guards the tests below: an unguarded load does run the code."""
    path, marker = tmp_path / 'hostile.pth', tmp_path / 'code-has-run'
    torch.save(dict(meta=Calls(os.system, f'touch {marker}')), path)
    with open(tmp_path / 'plain.pkl', 'wb') as file:
        pickle.dump(Calls(os.system, f'touch {marker}'), file)
    with open(tmp_path / 'plain.pkl', 'rb') as file:
        pickle.load(file)
    assert marker.exists()


def test_hostile_checkpoint_is_refused_and_runs_nothing(hostile):
    path, marker = hostile
    with pytest.raises(UnsafeCheckpointError, match='do not trust') as caught:
        load_checkpoint_file(path)
    assert str(path) in str(caught.value)
    assert re.search(r'got global [\w.]+', str(caught.value))
    assert not marker.exists()


def test_a_plain_pickle_is_rejected_too(tmp_path):
    marker, path = tmp_path / 'ran', tmp_path / 'plain.pth'
    path.write_bytes(pickle.dumps(Calls(os.system, f'touch {marker}')))
    with pytest.raises(UnsafeCheckpointError, match='got another kind of pickle'):
        load_checkpoint_file(path)
    assert not marker.exists()


@pytest.mark.parametrize('kind', FILE_KINDS)
def test_files_of_any_kind_run_nothing(tmp_path, kind):
    marker = tmp_path / 'code-has-run'
    path = hostile_file(kind, tmp_path, marker)
    for load in (load_checkpoint_file, CheckpointLoader.load_checkpoint):
        with pytest.raises((UnsafeCheckpointError, DamagedCheckpointError), match=path.name):
            load(str(path))
    with pytest.raises((UnsafeCheckpointError, DamagedCheckpointError), match=path.name):
        load_from_http(path.as_uri(), model_dir=str(tmp_path / 'downloads'))
    assert not marker.exists()


def test_mmengine_refuses_it_too(hostile):
    path, marker = hostile
    with pytest.raises(UnsafeCheckpointError):
        CheckpointLoader.load_checkpoint(str(path))
    assert not marker.exists()


def test_a_runner_refuses_it_too(tmp_path):
    path, marker = (
        hostile_file('zip', tmp_path, tmp_path / 'code-has-run'),
        tmp_path / 'code-has-run',
    )
    runner = Runner.from_cfg(tiny_config(tmp_path / 'work'))
    with pytest.raises(UnsafeCheckpointError):
        runner.load_checkpoint(str(path))
    assert not marker.exists()


def test_urls_are_read_with_weights_only(hostile, tmp_path):
    """torch.hub, through which mmengine downloads, runs code by default."""
    path, marker = hostile
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


def test_numpy_arrays_of_objects_are_plain_or_refused(tmp_path):
    path, marker = tmp_path / 'objects.pth', tmp_path / 'code-has-run'
    torch.save(dict(a=np.array([{}, np.arange(2)], dtype=object)), path)
    loaded = load_checkpoint_file(path)['a']
    assert loaded[0] == {} and loaded[1].tolist() == [0, 1]
    torch.save(dict(a=np.array([payloads(marker)['system']], dtype=object)), path)
    with pytest.raises(UnsafeCheckpointError):
        load_checkpoint_file(path)
    assert not marker.exists()


@pytest.mark.parametrize('legacy', [False, True])
@pytest.mark.parametrize('name', list(numpy_lies()))
def test_lies_about_arrays_are_refused(tmp_path, name, legacy):
    """A data type with objects for bytes made numpy crash, and with it whoever read the weights."""
    path = tmp_path / 'lie.pth'
    content = dict(meta=dict(x=numpy_lies()[name]))
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises((UnsafeCheckpointError, DamagedCheckpointError), match='lie.pth: expected'):
        load_checkpoint_file(path)


def test_the_true_twin_of_the_lies_is_read(tmp_path):
    for array in (lying_array(said_type('f8')), FALSE_FLAGS):
        torch.save(dict(meta=dict(x=array)), tmp_path / 'a.pth')
        value = load_checkpoint_file(tmp_path / 'a.pth')['meta']['x']
        assert type(value) is np.ndarray and value[0] == np.frombuffer(b'A' * 8)[0]


@pytest.mark.parametrize('name', list(written_by_hand('x')))
def test_pickles_by_hand_are_refused(tmp_path, name):
    path, marker, whole = tmp_path / 'hand.pth', tmp_path / 'code-has-run', io.BytesIO()
    torch.save({}, whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, 'w') as new:
        for member in old.namelist():
            pickled = member.endswith('data.pkl')
            new.writestr(member, written_by_hand(marker)[name] if pickled else old.read(member))
    with pytest.raises((UnsafeCheckpointError, DamagedCheckpointError), match='hand.pth: expected'):
        load_checkpoint_file(path)
    assert not marker.exists()


def test_text_that_mmengine_runs_stays_out_of_its_loaders(tmp_path):
    """Of any scheme: a bucket's is no other."""
    program = 'import os'
    content = dict(
        state_dict={},
        meta=dict(config=program, cfg=program, epoch=1),
        message_hub=dict(runtime_info=dict(cfg=program, epoch=1)),
    )
    torch.save(content, tmp_path / 'a.pth')
    CheckpointLoader.register_scheme('bucket://', lambda name, map_location: content, force=True)
    for name in (str(tmp_path / 'a.pth'), 'bucket://a.pth'):
        loaded = CheckpointLoader.load_checkpoint(name)
        assert loaded['meta'] == loaded['message_hub']['runtime_info'] == dict(epoch=1)
    assert load_checkpoint_file(tmp_path / 'a.pth')['meta']['config'] == program  # ours runs none


@pytest.mark.parametrize(
    'content',
    [None, 3, 'text', [1], torch.ones(2), dict(meta=None), dict(meta='config'), dict(meta=[1])],
    ids=str,
)
def test_files_of_other_things_are_named(tmp_path, content):
    torch.save(content, tmp_path / 'odd.pth')
    for load in (load_checkpoint_file, CheckpointLoader.load_checkpoint):
        with pytest.raises(DamagedCheckpointError, match='odd.pth: expected a dict'):
            load(str(tmp_path / 'odd.pth'))


def test_odd_messages_are_no_error(tmp_path):
    for messages in (None, 'text', [1], dict(runtime_info=None), dict(runtime_info='text')):
        torch.save(dict(state_dict={}, message_hub=messages), tmp_path / 'odd.pth')
        loaded = CheckpointLoader.load_checkpoint(str(tmp_path / 'odd.pth'))
        assert loaded['message_hub'] == messages


def test_truncated_and_missing_files_are_named(tmp_path):
    whole, cut = tmp_path / 'whole.pth', tmp_path / 'cut.pth'
    torch.save(dict(a=torch.ones(1000)), whole)
    cut.write_bytes(whole.read_bytes()[:2000])
    with pytest.raises(RuntimeError, match='cut.pth: expected a complete checkpoint'):
        load_checkpoint_file(cut)
    with pytest.raises(FileNotFoundError, match='absent.pth'):
        load_checkpoint_file(tmp_path / 'absent.pth')
