"""Studies: finished runs are kept, failures named, seeds averaged."""

import json
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import DictAction
from PIL import Image

from benchmarks import (
    bev_depth,
    depth_toy,
    embodied,
    embodied_self,
    fb_bev,
    multi_frame,
    robustness_toy,
    study,
    study_plot,
)
from benchmarks.study import REPOSITORY, Run, run_study, study_table
from hybrid_depth.engine.config import read_config

PARTS = ('train', 'val', 'test')
RUNS = [
    Run('start', 'start.py', scored=False),
    Run('net', 'net.py', 0, ('load={study}/start_seed{seed}/epoch_1.pth',)),
    Run('net', 'net.py', 1),
]


@pytest.fixture
def calls(monkeypatch):
    """Recorded command lines, which write logs instead of training."""
    made = []

    def tool(folder, threads, name, config, *arguments):
        made.append((folder.name, name, [str(a) for a in arguments]))
        if (folder.name, name) == ('net_seed1', 'train.py') and len(made) < 6:
            return False
        log = folder / 'now' / 'vis_data' / 'scalars.json'
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(json.dumps(dict(loss=1, time=30.0, iter=4)))
        (folder / 'last_checkpoint').write_text('epoch_1.pth')
        report = Path(arguments[arguments.index('--work-dir') + 1], 'now', 'now.json')
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps({'depth/abs_rel': 0.25 if folder.name[-1] == '0' else 0.75}))
        return True

    monkeypatch.setattr(study, '_tool', tool)
    monkeypatch.setattr(study, 'read_config', lambda path: SimpleNamespace(pretty_text=path.name))
    return made


def test_a_failed_run_is_repeated_and_others_are_kept(calls, tmp_path, capsys):
    with pytest.raises(SystemExit, match='1 of 3 runs failed.*net_seed1.*study.log'):
        run_study(RUNS, tmp_path, ['depth/abs_rel'])
    assert '| net | 1 | 0.2500 | 2.0 |' in capsys.readouterr().out
    tools = [call[:2] for call in calls]
    assert tools == [
        ('start_seed0', 'train.py'),
        ('net_seed0', 'train.py'),
        ('net_seed0', 'test.py'),
        ('net_seed1', 'train.py'),
    ]
    assert f'load={tmp_path}/start_seed0/epoch_1.pth' in calls[1][2]
    calls.append(None)
    run_study(RUNS, tmp_path, ['depth/abs_rel'])
    assert [call[:2] for call in calls[5:]] == [('net_seed1', 'train.py'), ('net_seed1', 'test.py')]
    assert (tmp_path / 'table.md').read_text().splitlines()[2:] == [
        '| net | 2 | 0.5000 ± 0.3536 | 2.0 |'
    ]
    assert np.asarray(Image.open(tmp_path / 'plot.png').convert('L')).min() < 50


def test_runs_of_a_changed_recipe_are_refused(calls, tmp_path, monkeypatch):
    """Results were used after their config or the checkpoint they start from had changed."""
    start = tmp_path / 'start_seed0/epoch_1.pth'
    start.parent.mkdir()
    start.write_bytes(b'one')
    run_study(RUNS[:2], tmp_path, ['depth/abs_rel'])
    made = len(calls)
    run_study(RUNS[:2], tmp_path, ['depth/abs_rel'])
    assert len(calls) == made
    start.write_bytes(b'two')
    with pytest.raises(SystemExit, match='net_seed0.*same recipe.*epoch_1.pth.*Remove that folder'):
        run_study(RUNS[:2], tmp_path, ['depth/abs_rel'])
    start.write_bytes(b'one')
    with pytest.raises(SystemExit, match='another .*options'):
        run_study([RUNS[0], Run('net', 'net.py', 0)], tmp_path, ['depth/abs_rel'])
    monkeypatch.setattr(study, 'read_config', lambda path: SimpleNamespace(pretty_text='other'))
    with pytest.raises(SystemExit, match='start_seed0.*another config'):
        run_study(RUNS[:2], tmp_path, ['depth/abs_rel'])
    monkeypatch.undo()
    assert len(calls) == made


def test_scores_elsewhere_stand_beside_the_others(calls, tmp_path):
    """The same weights on another world; other worlds are another recipe."""
    there = ('test_dataloader.dataset.data_root={study}/high',)
    run = Run('net', 'net.py', 0, elsewhere=(('high', there),))
    run_study([run], tmp_path, ['depth/abs_rel', 'high/depth/abs_rel'])
    assert [name for _, name, _ in calls] == ['train.py', 'test.py', 'test.py']
    there = f'test_dataloader.dataset.data_root={tmp_path}/high'
    assert [there in call[2] for call in calls] == [False, False, True]
    assert json.loads((tmp_path / 'net_seed0/result.json').read_text())['scores'] == {
        'depth/abs_rel': 0.25,
        'high/depth/abs_rel': 0.25,
    }
    with pytest.raises(SystemExit, match='another options'):
        run_study([Run('net', 'net.py', 0)], tmp_path, ['depth/abs_rel'])


def test_a_changed_toy_world_is_another_recipe(calls, tmp_path, monkeypatch):
    """Scores of two worlds stood in one table."""
    marker = tmp_path / 'world/toy_world.json'
    marker.parent.mkdir()
    marker.write_text('{}')
    config = SimpleNamespace(pretty_text=f"data_root = '{marker.parent}/'\nlr = 'x'")
    monkeypatch.setattr(study, 'read_config', lambda path: config)
    run_study(RUNS[:2], tmp_path / 'study', ['depth/abs_rel'])
    marker.write_text('{"seed": 1}')
    with pytest.raises(SystemExit, match=f'another {marker}. Remove'):
        run_study(RUNS[:2], tmp_path / 'study', ['depth/abs_rel'])


def test_runs_may_lack_a_metric(calls, tmp_path, monkeypatch):
    """A model of one frame has no second mode: its cell is empty, its other scores are shown."""
    figures = []
    monkeypatch.setattr(study_plot.Figure, 'savefig', lambda self, *_, **__: figures.append(self))
    names = ['depth/abs_rel', 'depth/single_frame/abs_rel']
    run_study(RUNS[:2], tmp_path, names)
    assert (tmp_path / 'table.md').read_text().splitlines() == [
        '| run | seeds | abs_rel | single_frame/abs_rel | training min |',
        '| --- | --- | --- | --- | --- |',
        '| net | 1 | 0.2500 | - | 2.0 |',
    ]
    assert [len(axes.lines[0].get_xdata()) for axes in figures[0].axes] == [1, 0]


def test_scores_of_different_magnitude_have_a_logarithmic_axis(monkeypatch, tmp_path):
    """0.1 and 0.2 beside 3 can only be distinguished on a logarithmic axis."""
    figures = []
    monkeypatch.setattr(study_plot.Figure, 'savefig', lambda self, *_, **__: figures.append(self))
    near = [[dict(error=0.1)], [dict(error=0.2)]]
    for scores in (near, [*near, [dict(error=3.0)]]):
        results = {f'net{row}': seeds for row, seeds in enumerate(scores)}
        study_plot.plot_study(results, ['error'], tmp_path / 'plot.png')
    assert [figure.axes[0].get_xscale() for figure in figures] == ['linear', 'log']


def test_jobs_run_in_parallel_and_share_the_cores(monkeypatch, tmp_path):
    both, seen = threading.Barrier(2, timeout=60), []

    def train(run, folder, threads):
        both.wait()  # passes only when both runs have reached it
        seen.append(threads)
        return run.seed == 0

    monkeypatch.setattr(study, '_train', train)
    monkeypatch.setattr(study.os, 'cpu_count', lambda: 6)
    with pytest.raises(SystemExit, match='1 of 2 runs failed.*net_seed1'):
        run_study(RUNS[1:], tmp_path, ['depth/abs_rel'], jobs=2)
    assert seen == [3, 3]
    both, seen[:] = threading.Barrier(2, timeout=60), []
    with pytest.raises(SystemExit):
        run_study(RUNS[1:], tmp_path, ['depth/abs_rel'], jobs=2, threads=1)
    assert seen == [1, 1]


def test_studies_use_existing_configs_and_earlier_checkpoints():
    modules = (depth_toy, bev_depth, fb_bev, embodied, embodied_self, robustness_toy)
    studies = [[*getattr(module, 'TEACHERS', ()), *module.RUNS] for module in modules]
    first, then = multi_frame.runs(epochs=4)
    assert not any('{study}' in option for run in first for option in run.options)  # two at a time
    for runs in (*studies, [*first, *then]):
        assert len({(run.name, run.seed) for run in runs}) == len(runs)
        for place, run in enumerate(runs):
            assert (REPOSITORY / run.config).is_file(), run.config
            done = {earlier.folder(Path('s')) for earlier in runs[:place]}
            for option in run.options:
                value = option.split('=', 1)[1].format(study='s', seed=run.seed)
                if value.endswith('.pth'):
                    assert Path(value).parent in done, option


def test_columns_of_metrics_with_one_last_part(tmp_path):
    names = ['depth/abs_rel', 'depth/median_scaled/abs_rel', 'depth/a1']
    header = study_table([], tmp_path, names).splitlines()[0]
    assert header == '| run | seeds | abs_rel | median_scaled/abs_rel | a1 | training min |'


def test_the_steps_of_the_ablation():
    """Each step's options give the model that its name says, and its text."""
    found = {}
    for name, options in embodied.STEPS.items():
        cfg = read_config(REPOSITORY / embodied.CONFIG)
        values = (option.split('=', 1) for option in options)
        cfg.merge_from_dict({k: DictAction._parse_iterable(v) for k, v in values})
        model, pipelines = cfg.model, [cfg[f'{p}_dataloader'].dataset.pipeline for p in PARTS]
        loads = {pipeline[2].get('objects') for pipeline in pipelines}
        assert len(loads) == 1 and {pipeline[2].type for pipeline in pipelines} == {'LoadText'}
        prior = model.get('fusion', 'attention') if model.prior_encoder else None
        found[name] = (prior, model.text_width, model.text_probability > 0, loads != {None})
    assert found == dict(
        image=(None, None, False, True),
        prior=('concat', None, False, True),
        attention=('attention', None, False, True),
        captions=('attention', 1024, True, False),
        object_sentences=('attention', 2048, True, True),
    )
