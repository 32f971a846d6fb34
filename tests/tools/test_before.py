"""The benchmark against an earlier commit, with this code as the earlier one."""

import pytest

from benchmarks import before
from tests.conftest import ROOT


def test_both_states_do_the_work_and_results_are_compared(tmp_path, capsys, monkeypatch):
    script = 'import json\nprint(json.dumps(["sum"]), flush=True)\nfor line in iter(input, ""):'
    script += '\n    print(json.dumps((RESULT, line)), flush=True)'
    started = iter(('2.0', '1.0'))
    popen = before.subprocess.Popen

    def start(command, **options):
        assert command[1:] == ['-m', 'benchmarks.before', 'work', 'data', str(ROOT)]
        assert options['env']['PYTHONPATH'].split(':')[0] == str(ROOT / 'projects/hybrid_depth')
        return popen([command[0], '-c', script.replace('RESULT', next(started))], **options)

    monkeypatch.setattr(before.subprocess, 'Popen', start)
    before.main(str(ROOT), 'work', 'data', repeats=1)
    assert (
        '2.000  now    1.000  ratio 0.50, of the fewest 0.50  equal results'
        in capsys.readouterr().out
    )
    with pytest.raises(SystemExit, match='git worktree add'):
        before.main(str(tmp_path), 'work', 'data')
