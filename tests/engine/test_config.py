import copy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import checkpoint

from hybrid_depth.checkpoints import safe_load
from hybrid_depth.engine import config as config_tools
from tests.engine.kill_resume import ROOT
from tests.tools.run import run_tool


@pytest.fixture
def cfg(tmp_path) -> Config:
    return Config(
        dict(
            work_dir=str(tmp_path),
            optim_wrapper=dict(type='OptimWrapper'),
            custom_hooks=[dict(type='EMAHook')],
            test_evaluator=dict(type='BEVDetectionMetric'),
        )
    )


def load(path, **changes):
    arguments = dict(work_dir=None, options=None, launcher='none')
    return config_tools.load_config(path, **{**arguments, **changes})


def test_options_and_work_dir(tmp_path):
    path = tmp_path / 'net.py'
    path.write_text('model = dict(depth=18, width=dict(a=1))\n')
    cfg = load(path, options={'model.width.a': 2})
    assert cfg.work_dir == 'work_dirs/net'
    assert cfg.model == dict(depth=18, width=dict(a=2))
    assert load(path, work_dir='w').work_dir == 'w'
    path.write_text("model = dict()\nwork_dir = 'mine'\n")
    assert load(path).work_dir == 'mine' and load(path, work_dir='w').work_dir == 'w'


def test_the_logged_config_is_a_config_and_is_not_formatted_by_yapf(tmp_path, monkeypatch):
    (tmp_path / 'net.py').write_text("model = dict(depth=18, names=['a', 'b'])\n")
    monkeypatch.setattr('mmengine.config.config.FormatCode', None)
    cfg = copy.deepcopy(load(tmp_path / 'net.py'))  # as mmengine's Runner keeps it
    cfg.dump(tmp_path / 'logged.py')
    assert Config.fromfile(tmp_path / 'logged.py').to_dict() == cfg.to_dict()


def test_loading_is_safe_without_custom_imports(tmp_path, monkeypatch):
    """Safe loading depended on `custom_imports`, which configs can omit."""
    monkeypatch.setattr(checkpoint, 'load_url', torch.hub.load_state_dict_from_url)
    (tmp_path / 'net.py').write_text('model = dict()\n')
    load(tmp_path / 'net.py')
    assert checkpoint.load_url is safe_load._load_url


@pytest.fixture
def beside(tmp_path, monkeypatch) -> Path:
    """Folder of configs; the working directory is another one."""
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'configs').mkdir()
    return tmp_path / 'configs'


def write_config(folder: Path, module: str) -> Path:
    data = "dict(dataset=dict(data_root='nowhere/'))"
    path = folder / 'net.py'
    path.write_text(
        f"custom_imports = dict(imports=['{module}'], allow_failed_imports=False)\n"
        f"train_dataloader = test_dataloader = {data}\ntest_evaluator = dict(type='DepthMetric')\n"
    )
    return path


@pytest.mark.parametrize('tool', ['train', 'test'])
def test_tools_import_modules_beside_a_config(beside, tool):
    module = f'imported_by_{tool}'
    (beside / f'{module}.py').touch()
    config = write_config(beside, module)
    checkpoint = [config] if tool == 'test' else []  # any file; the data set is looked for first
    error = run_tool(f'{tool}.py', config.relative_to(Path.cwd()), *checkpoint)
    assert 'nowhere' in error and module in sys.modules


@pytest.mark.parametrize('tool', ['train', 'test'])
def test_a_module_that_is_nowhere_is_named_with_what_to_do(beside, tool):
    config = write_config(beside, 'absent.module')
    error = run_tool(f'{tool}.py', config, *([config] if tool == 'test' else []))
    assert 'custom_imports expected a module absent.module, got none of that name' in error
    assert f'Put absent/module.py beside the config, into {beside}' in error


def test_what_a_module_itself_cannot_import_is_another_error(beside):
    (beside / 'imports_absent.py').write_text('import absent_package\n')
    with pytest.raises(ImportError) as caught:
        config_tools.read_config(write_config(beside, 'imports_absent'))
    assert not isinstance(caught.value, config_tools.ConfigError)
    assert caught.value.__context__.name == 'absent_package', 'which the traceback shows'


def test_modules_beside_a_config_hide_no_installed_ones(beside):
    for _ in range(2):
        config_tools.read_config(write_config(beside, 'json'))
    assert sys.path[-1] == str(beside) and sys.path.count(str(beside)) == 1


def test_amp(cfg, monkeypatch):
    monkeypatch.setattr(config_tools, 'get_device', lambda: 'cuda')
    config_tools.enable_amp(cfg)
    assert cfg.optim_wrapper == dict(type='AmpOptimWrapper', loss_scale='dynamic')
    monkeypatch.setattr(config_tools, 'get_device', lambda: 'cpu')
    config_tools.enable_amp(cfg)
    assert cfg.optim_wrapper == dict(type='BFloat16OptimWrapper')
    cfg.optim_wrapper.type = 'ApexOptimWrapper'
    with pytest.raises(config_tools.ConfigError, match='ApexOptimWrapper'):
        config_tools.enable_amp(cfg)


def test_lr_scaling(cfg):
    with pytest.raises(config_tools.ConfigError, match='base_batch_size'):
        config_tools.enable_lr_scaling(cfg)
    cfg.auto_scale_lr = dict(enable=False, base_batch_size=64)
    config_tools.enable_lr_scaling(cfg)
    assert cfg.auto_scale_lr.enable


def test_checkpoints_of_the_web_are_not_looked_for_on_disk():
    config_tools.require_checkpoint('https://example.org/a.pth')
    with pytest.raises(FileNotFoundError, match='absent.pth'):
        config_tools.require_checkpoint('absent.pth')


def test_resume(cfg, tmp_path):
    config_tools.set_resume(cfg, 'auto')
    assert 'resume' not in cfg, 'nothing to resume from: starts anew'
    (tmp_path / 'epoch_1.pth').touch()
    config_tools.set_resume(cfg, 'auto')
    assert cfg.resume and cfg.load_from == str(tmp_path / 'epoch_1.pth')
    with pytest.raises(FileNotFoundError, match='absent.pth'):
        config_tools.set_resume(cfg, 'absent.pth')


def test_metrics_are_written_to_the_work_directory(cfg):
    cfg.test_evaluator = dict(type='DepthMetric')
    config_tools.add_report(cfg)
    assert cfg.test_evaluator.out_dir == cfg.work_dir
    elsewhere = dict(type='BEVDetectionMetric', out_dir='elsewhere')
    cfg.test_evaluator = [dict(type='PatchOrderMetric'), elsewhere]
    config_tools.add_report(cfg)
    assert cfg.test_evaluator == [dict(type='PatchOrderMetric'), elsewhere]


def test_visualization_hooks_are_added(cfg, monkeypatch):
    config_tools.add_visualization(cfg, 'out', 0.3, show=False, wait_time=1)
    assert cfg.custom_hooks[1:] == [dict(type='BEVVisualizationHook', out_dir='out', score_thr=0.3)]
    monkeypatch.setenv('DISPLAY', ':0')
    config_tools.add_visualization(cfg, 'out', 0.3, show=True, wait_time=1)
    assert cfg.custom_hooks[-1] == dict(type='VisualizationWindowHook', folder='out', wait_time=1)


def test_visualization_of_depth_and_of_other_metrics(cfg):
    cfg.test_evaluator = [dict(type='DepthMetric')]
    config_tools.add_visualization(cfg, 'out', 0.3, show=False, wait_time=1)
    assert cfg.custom_hooks[1:] == [dict(type='DepthVisualizationHook', out_dir='out')]
    cfg.test_evaluator = dict(type='PatchOrderMetric')
    with pytest.raises(config_tools.ConfigError, match='PatchOrderMetric'):
        config_tools.add_visualization(cfg, 'out', 0.3, show=False, wait_time=1)


def test_window_without_a_screen_is_rejected(cfg, monkeypatch):
    monkeypatch.setattr(sys, 'platform', 'linux')
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    with pytest.raises(config_tools.ConfigError, match='--show-dir'):
        config_tools.add_visualization(cfg, 'out', 0.3, show=True, wait_time=1)


def test_missing_data_set_ends_the_tool_with_instructions(tmp_path):
    """A config without its data: exit code 1, no traceback, what is missing and how to get it."""
    config = tmp_path / 'net.py'
    config.write_text(
        "custom_imports = dict(imports=['hybrid_depth.modules'])\n"
        "train_dataloader = dict(dataset=dict(data_root='data/nuscenes/', ann_file='a.pkl'))\n"
    )
    done = subprocess.run(
        [sys.executable, ROOT / 'tools' / 'train.py', config],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
    assert f'{tmp_path}/data/nuscenes does not exist' in done.stderr
    assert 'create-nuscenes-infos --root data/nuscenes' in done.stderr
