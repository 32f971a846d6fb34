from PIL import Image

from .run import run_tool

TINY = ('--layout', 'tusimple', '--scenes', 2, '--keyframes', 1, '--workers', 1)


def test_world_and_contact_sheet(tmp_path, capsys):
    out = tmp_path / 'toy'
    assert run_tool('make_toy_world.py', out, *TINY, '--size', '64x36', '--preview') is None
    assert f'toy world in {out}' in capsys.readouterr().out
    assert (out / 'train_label_data.json').is_file()
    assert Image.open(out / 'preview.png').size == (2 * 64, 36)


def test_bad_input_ends_with_a_message(tmp_path, capsys):
    (tmp_path / 'mine.txt').touch()
    assert 'is not a toy world' in run_tool('make_toy_world.py', tmp_path, *TINY)
    assert 'at least 32 x 32' in run_tool('make_toy_world.py', tmp_path / 'a', '--size', '64x9')
    assert run_tool('make_toy_world.py', tmp_path / 'b', '--size', 'large') == 2
    assert "expected WxH, such as 400x225, got 'large'" in capsys.readouterr().err
