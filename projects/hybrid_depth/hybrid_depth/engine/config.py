"""Configs with command-line options, for `hybrid-depth train` and `hybrid-depth test`."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import MODELS, RUNNERS
from mmengine.runner import Runner
from mmengine.utils import import_modules_from_strings

from .. import checkpoints
from ..config_files import find_config
from ..errors import ConfigError, HybridDepthError
from ..info_files import naming
from ..optional import require_package
from .config_keys import check_keys, check_options
from .config_values import check_complete, check_values
from .hooks.checkpointing import find_latest_checkpoint
from .hooks.visualization_window import has_screen
from .own_data import apply_own_data
from .runner import CheckedRunner

#: Trackers of trainings by the name of their package, and mmengine's class.
TRACKERS = dict(
    tensorboard='TensorboardVisBackend', wandb='WandbVisBackend', mlflow='MLflowVisBackend'
)
_DETECTION_METRICS = ('BEVDetectionMetric', 'NuScenesBEVMetric')


def read_config(path: str | Path) -> Config:
    """Read a config file, see `find_config`, and import its `custom_imports`.

    The config's folder is appended to the import path: modules beside a config are found from any
    working directory, and hide no installed package. Checkpoints are read without running code from
    here on, whatever the config imports.

    Raises:
        FileNotFoundError: the config does not exist.
        ConfigError: the file is no config, or a module of `custom_imports` does not exist.
    """
    checkpoints.install()
    file = find_config(path)
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    cfg = _parse(file)
    _import_modules(cfg, folder)
    # No yapf for logs and checkpoints: it takes 0.25 s, four times before the first iteration and
    # once per checkpoint. mmengine 0.10.7 has an argument for it, which has no effect.
    object.__setattr__(cfg, '_format_python_code', False)
    return cfg


def _parse(file: Path) -> Config:
    try:
        with naming(file):
            return Config.fromfile(file, import_custom_modules=False)
    except (HybridDepthError, FileNotFoundError):
        raise
    except Exception as error:  # of any kind: a config is executed
        raise ConfigError(
            f'{file}: expected a config in Python, JSON or YAML, as UTF-8 without a byte-order '
            f'mark, got {type(error).__name__}: {error}. Correct it, or is it of another kind?'
        ) from error


def _import_modules(cfg: Config, folder: str) -> None:
    custom = cfg.get('custom_imports') or dict(imports=[])
    imports = custom.get('imports') if isinstance(custom, dict) else None
    if not (isinstance(imports, list) and all(isinstance(name, str) for name in imports)):
        raise ConfigError(
            f"{cfg.filename}: expected custom_imports = dict(imports=['a module', ...]), got "
            f'{custom!r}'
        )
    try:
        import_modules_from_strings(**custom)
    except ImportError as error:
        absent = getattr(error.__context__, 'name', None)  # mmengine hides the cause
        wanted = [name for name in custom['imports'] if f'{name}.'.startswith(f'{absent}.')]
        if not wanted:
            raise
        raise ConfigError(
            f'{cfg.filename}: custom_imports expected a module {wanted[0]}, got none of that name. '
            f'Put {wanted[0].replace(".", "/")}.py beside the config, into {folder}, or add its '
            'folder to PYTHONPATH.'
        ) from error


def load_config(
    path: str | Path, work_dir: str | None, options: dict | None, launcher: str
) -> Config:
    """Read a config and apply the options shared by training and testing.

    Args:
        path: config file, see `find_config`.
        work_dir: folder of logs and checkpoints; None for the config's, by default
            `./work_dirs/<name of the config>`.
        options: values of `--cfg-options`.
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.

    Raises:
        FileNotFoundError: no such config.
        ConfigError: a misspelt top-level key, a value of another kind or out of range, or a
            launcher that has not started this process.
    """
    _require_launcher(launcher)
    cfg = read_config(path)
    cfg.launcher = launcher
    check_options(cfg, options)
    cfg.merge_from_dict(options or {})
    check_keys(cfg)
    apply_own_data(cfg)
    check_values(cfg)
    cfg.work_dir = work_dir or cfg.get('work_dir') or str(Path('work_dirs', Path(path).stem))
    return cfg


#: By launcher: how it starts a process, and the environment variable that it sets.
_LAUNCHERS = dict(
    pytorch=('torchrun --nproc_per_node N -m hybrid_depth', 'RANK'),
    slurm=('srun', 'SLURM_PROCID'),
    mpi=('mpirun', 'OMPI_COMM_WORLD_LOCAL_RANK'),
)


def _require_launcher(launcher: str) -> None:
    command, variable = _LAUNCHERS.get(launcher, (None, None))
    if variable is not None and variable not in os.environ:
        raise ConfigError(
            f'--launcher {launcher} expected the environment variable {variable}, got none: start '
            f'with {command} ..., or omit --launcher for a single process'
        )


def require_length(cfg: Config) -> None:
    """Check that a config trains for some epochs or iterations.

    Raises:
        ConfigError: their number is not above 0, or missing for a loop of mmengine.
    """
    train = cfg.get('train_cfg')
    if train is None:
        return
    lengths = {'max_epochs', 'max_iters'} & set(train)
    if not lengths and train.get('type', 'IterBasedTrainLoop').endswith('BasedTrainLoop'):
        raise ConfigError(
            f'{cfg.filename}: expected train_cfg = dict(by_epoch=True, max_epochs=...), or with '
            f'by_epoch=False and max_iters, got {dict(train)}'
        )
    for key in lengths:
        if type(train[key]) is not int or train[key] < 1:
            raise ConfigError(
                f'{cfg.filename}: expected train_cfg.{key} as a whole number above 0, got '
                f'{train[key]!r}; to evaluate without training: hybrid-depth test'
            )


def enable_amp(cfg: Config) -> None:
    """Enable automatic mixed precision: float16 with dynamic loss scaling, bfloat16 on CPUs.

    Raises:
        ConfigError: the config's optimiser wrapper is neither OptimWrapper nor a mixed-precision
            one.
    """
    mixed = ('AmpOptimWrapper', 'BFloat16OptimWrapper')
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', *mixed):
        raise ConfigError(f'--amp expected optim_wrapper.type OptimWrapper, got {kind}.')
    if get_device() == 'cpu':
        cfg.optim_wrapper.type = 'BFloat16OptimWrapper'
        cfg.optim_wrapper.pop('loss_scale', None)
    elif kind == 'OptimWrapper':
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.loss_scale = 'dynamic'


def enable_lr_scaling(cfg: Config) -> None:
    """Scale the learning rate by actual batch size / base batch size.

    Raises:
        ConfigError: the config has no base batch size.
    """
    if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
        raise ConfigError(
            '--auto-scale-lr expected auto_scale_lr.base_batch_size in the config, got none.'
        )
    cfg.auto_scale_lr.enable = True


def set_resume(cfg: Config, resume: str) -> None:
    """Resume from a checkpoint file, or with 'auto' from the newest one of the work directory.

    Without a checkpoint, 'auto' starts a new training.

    Raises:
        FileNotFoundError: the file named does not exist.
    """
    if resume != 'auto':
        require_checkpoint(resume)
    latest = find_latest_checkpoint(cfg.work_dir) if resume == 'auto' else resume
    if latest is not None:
        cfg.resume = True
        cfg.load_from = str(latest)


def require_checkpoint(path: str) -> None:
    """Raise FileNotFoundError unless `path` is a file or a URL."""
    if '://' not in path and not Path(path).expanduser().is_file():
        raise FileNotFoundError(f'Expected a checkpoint file, got {path}, which does not exist.')


def require_training_free(cfg: Config) -> None:
    """Raise ConfigError unless the model needs no checkpoint (its `training_free`)."""
    kind = cfg.model['type']
    if not getattr(MODELS.get(kind), 'training_free', False):
        raise ConfigError(
            f'expected a checkpoint of {kind}, got none: hybrid-depth test CONFIG CHECKPOINT'
        )


def add_report(cfg: Config) -> None:
    """Write a test's metrics to the work directory, unless the config sets a path."""
    for metric in _test_metrics(cfg):
        if metric.type in (*_DETECTION_METRICS, 'DepthMetric'):
            metric.setdefault('out_dir', cfg.work_dir)


def _test_metrics(cfg: Config) -> list:
    evaluators = cfg.test_evaluator
    return list(evaluators) if isinstance(evaluators, (list, tuple)) else [evaluators]


def add_visualization(
    cfg: Config, folder: str, score_threshold: float, show: bool, wait_time: float
) -> None:
    """Add the visualization of every sample, in files or in a window, to a test.

    Args:
        cfg: config to change.
        folder: output folder of the visualizations.
        score_threshold: smallest score of the boxes drawn.
        show: also show them in a window after the test.
        wait_time: display time per visualization, seconds.

    Raises:
        ConfigError: the test has nothing to draw, or a window is requested without a screen.
    """
    kinds = [metric.type for metric in _test_metrics(cfg)]
    if set(kinds) & set(_DETECTION_METRICS):
        hooks = [dict(type='BEVVisualizationHook', out_dir=folder, score_thr=score_threshold)]
    elif 'DepthMetric' in kinds:
        hooks = [dict(type='DepthVisualizationHook', out_dir=folder)]
    else:
        raise ConfigError(
            '--show-dir expected a config that tests boxes (BEVDetectionMetric) or depth '
            f'(DepthMetric), got {kinds}'
        )
    if show:
        if not has_screen():
            raise ConfigError(
                '--show expected a screen, got none (DISPLAY is not set). Use --show-dir FOLDER '
                'instead.'
            )
        hooks.append(dict(type='VisualizationWindowHook', folder=folder, wait_time=wait_time))
    _add_hooks(cfg, *hooks)


def enable_tta(cfg: Config, scales: Sequence[float]) -> None:
    """Test with augmented images: mirrored, and of several scales (`DetectorTTA`, `DepthTTA`).

    Args:
        cfg: config to change.
        scales: factors; none for 1 alone.

    Raises:
        ConfigError: the config tests neither boxes nor depth.
    """
    kinds = {metric.type for metric in _test_metrics(cfg)}
    if kinds & set(_DETECTION_METRICS):
        wrapper = 'DetectorTTA'
    elif 'DepthMetric' in kinds:
        wrapper = 'DepthTTA'
    else:
        raise ConfigError(
            '--tta expected a config that tests boxes (BEVDetectionMetric) or depth (DepthMetric), '
            f'got {sorted(kinds)}'
        )
    cfg.model = dict(type=wrapper, module=cfg.model, scales=tuple(scales) or (1.0,))


def add_trackers(cfg: Config, names: Sequence[str]) -> None:
    """Log to TensorBoard, Weights & Biases or MLflow besides the files of the work directory.

    Args:
        cfg: config to change.
        names: of `TRACKERS`.

    Raises:
        AbsentPackageError: a tracker is not installed.
    """
    if not names:
        return
    for name in names:
        require_package(name, f'pip install {name}')
    visualizer = cfg.get('visualizer') or dict(type='Visualizer')
    backends = visualizer.get('vis_backends') or [dict(type='LocalVisBackend')]
    backends = [*backends, *(_backend(name) for name in names)]
    cfg.visualizer = dict(visualizer, vis_backends=backends)


def _backend(name: str) -> dict:
    """Backend of mmengine; MLflow 3 refuses the folders of files that are its default there."""
    backend = dict(type=TRACKERS[name])
    if name == 'mlflow':
        backend['tracking_uri'] = os.environ.get('MLFLOW_TRACKING_URI', 'sqlite:///mlflow.db')
    return backend


def require_fitting_checkpoint(cfg: Config) -> None:
    """Reject checkpoints of other models, see `StrictLoadHook`."""
    _add_hooks(cfg, dict(type='StrictLoadHook'))


def check_initial_weights(cfg: Config) -> None:
    """Reject unsuitable weights, see `InitialWeightsHook` and `ChannelOrderHook`."""
    _add_hooks(cfg, dict(type='InitialWeightsHook'), dict(type='ChannelOrderHook'))


def _add_hooks(cfg: Config, *hooks: dict) -> None:
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), *hooks]


def build_runner(cfg: Config) -> Runner:
    """Build the runner of a config: `CheckedRunner`, or its `runner_type`.

    Under torchrun or Slurm on machines without GPUs, processes communicate over gloo.

    Raises:
        ConfigError: the config has no model, or some of several keys that belong together.
    """
    if not isinstance(cfg.get('model'), dict):
        raise ConfigError(
            f'{cfg.filename}: expected a config with model = dict(type=...), got {sorted(cfg)}'
        )
    check_complete(cfg)
    if cfg.launcher in ('pytorch', 'slurm') and get_device() == 'cpu':
        _start_gloo(cfg)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else CheckedRunner.from_cfg(cfg)


def _set_slurm_ranks() -> None:
    """Set torch's variables from Slurm's, as mmengine does."""
    given = os.environ
    nodes = given.get('SLURM_NODELIST', 'localhost')
    if 'MASTER_ADDR' not in given and nodes != 'localhost':
        names = subprocess.run(
            ['scontrol', 'show', 'hostname', nodes], capture_output=True, text=True, check=True
        )
        given['MASTER_ADDR'] = names.stdout.split()[0]
    given.setdefault('MASTER_ADDR', 'localhost')
    given.setdefault('MASTER_PORT', '29500')
    given['RANK'], given['WORLD_SIZE'] = given['SLURM_PROCID'], given['SLURM_NTASKS']
    given['LOCAL_RANK'] = given.get('SLURM_LOCALID', '0')


def _start_gloo(cfg: Config) -> None:
    """Start the process group and wrap the model on CPUs, as mmengine does on GPUs only."""
    if cfg.launcher == 'slurm':
        _set_slurm_ranks()
    torch.distributed.init_process_group('gloo')
    on_cpu = dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    cfg.model_wrapper_cfg = {**on_cpu, **cfg.get('model_wrapper_cfg', {})}
