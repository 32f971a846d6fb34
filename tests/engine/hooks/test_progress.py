from types import SimpleNamespace

from mmengine.runner import Runner

from hybrid_depth.engine.hooks.progress import ProgressBarHook
from tests.engine.tiny import tiny_config


def test_bar_counts_every_iteration(tmp_path, capfd):
    Runner.from_cfg(tiny_config(tmp_path)).train()
    assert '9/9' in capfd.readouterr().err


def test_the_bar_of_a_resumed_run_starts_where_it_was():
    hook = ProgressBarHook()
    hook.before_train(SimpleNamespace(iter=6, max_iters=9))
    assert (hook._bars['train'].n, hook._bars['train'].total) == (6, 9)
    hook.after_train(None)
