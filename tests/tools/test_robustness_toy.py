"""The study of robustness: other rigs, and reports beside each other."""

from pathlib import Path

from benchmarks import robustness_toy
from benchmarks.robustness_toy import RIGS, RUNS
from hybrid_depth.engine.config import read_config
from hybrid_depth.toy_world.rig_change import NO_CHANGE
from tests.conftest import ROOT


def test_each_report_stands_beside_the_earlier_ones(tmp_path, monkeypatch):
    worlds, commands = {}, []
    monkeypatch.setattr(robustness_toy, 'run_study', lambda *_, **__: None)
    monkeypatch.setattr(robustness_toy, 'create_nuscenes_infos', lambda *_: None)
    monkeypatch.setattr(
        robustness_toy, 'make_toy_world', lambda root, rig, **_: worlds.setdefault(root, rig)
    )
    monkeypatch.setattr(
        robustness_toy.subprocess, 'run', lambda command, **_: commands.append(command)
    )
    for run in RUNS:
        run.folder(tmp_path).mkdir()
        (run.folder(tmp_path) / 'last_checkpoint').write_text(f'{run.name}.pth')
    robustness_toy.main(str(tmp_path))
    assert list(worlds.values()) == list(RIGS.values()) and NO_CHANGE not in RIGS.values()
    for place, (run, command) in enumerate(zip(RUNS, commands, strict=True)):
        assert command[2:4] == [str(ROOT / run.config), f'{run.name}.pth']
        others = command[command.index('--other-data') + 1 :][: len(RIGS)]
        assert others == [str(root) for root in worlds]
        beside = command[command.index('--beside') + 1 :] if place else []
        assert [Path(folder).name for folder in beside] == [run.name for run in RUNS[:place]]


def test_the_detectors_differ_in_the_depth_net_alone():
    configs = [read_config(ROOT / run.config) for run in RUNS]
    nets = [cfg.model.img_view_transformer.pop('depth_net') for cfg in configs]
    assert all(cfg.model == configs[0].model for cfg in configs)
    with_prior, without, plain = nets
    assert with_prior.encoder.type == 'PriorEncoder'
    assert without.encoder == with_prior.encoder.encoder
    assert 'encoder' not in plain
