"""Studies: what is done is kept, failures are named, seeds are averaged."""

import json

import pytest

from benchmarks import study
from benchmarks.study import Run, run_study

RUNS = [
    Run('start', 'start.py', scored=False),
    Run('net', 'net.py', 0, ('load={study}/start_seed{seed}/epoch_1.pth',)),
    Run('net', 'net.py', 1),
]


@pytest.fixture
def calls(monkeypatch):
    """Command lines instead of trainings, which write the logs that those would."""
    made = []

    def tool(folder, name, config, *arguments):
        made.append((folder.name, name, [str(a) for a in arguments]))
        if (folder.name, name) == ('net_seed1', 'train.py') and len(made) < 6:
            return False
        log = folder / 'now' / 'vis_data' / 'scalars.json'
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(json.dumps(dict(loss=1, time=30.0, iter=4)))
        (folder / 'last_checkpoint').write_text('epoch_1.pth')
        report = folder / 'test' / 'now' / 'now.json'
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps({'depth/abs_rel': 0.25 if folder.name[-1] == '0' else 0.75}))
        return True

    monkeypatch.setattr(study, '_tool', tool)
    return made


def test_a_failed_run_is_made_again_and_the_others_are_kept(calls, tmp_path, capsys):
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
