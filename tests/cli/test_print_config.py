"""`hybrid-depth print-config`."""

from mmengine.config import Config

from tests.tools.run import run_tool


def test_the_output_is_the_config(tmp_path, capsys):
    options = ['--cfg-options', 'train_cfg.max_epochs=2']
    assert run_tool('print_config.py', 'toy/bevdet_plain_toy.py', *options) is None
    printed = capsys.readouterr().out
    path = tmp_path / 'all.py'
    assert run_tool('print_config.py', 'toy/bevdet_plain_toy.py', '--out', path, *options) is None
    assert path.read_text() == printed
    cfg = Config.fromfile(path, import_custom_modules=False)
    assert cfg.train_cfg.max_epochs == 2 and cfg.model.type == 'BEVDet'
