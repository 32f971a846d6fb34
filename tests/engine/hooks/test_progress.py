from mmengine.runner import Runner

from tests.engine.tiny import tiny_config


def test_bar_counts_every_iteration(tmp_path, capfd):
    Runner.from_cfg(tiny_config(tmp_path)).train()
    assert '9/9' in capfd.readouterr().err
