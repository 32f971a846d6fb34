"""docs/own_vehicle.md: its description is that of the example, and its commands run in order."""

import re
import shlex
import sys

import pytest

from hybrid_depth import cli
from hybrid_depth.toy_world.rig_layout import description
from hybrid_depth.toy_world.world import World
from tests.conftest import ROOT
from tests.pseudo_depth.conftest import depth_model  # noqa: F401 (a fixture)

PAGE = (ROOT / 'docs/own_vehicle.md').read_text()
COMMANDS = [
    shlex.split(line)
    for line in re.findall(r'^    \.venv/bin/hybrid-depth (.+)$', PAGE, re.MULTILINE)
]
#: The example at a size of seconds: what is on the page, and instead.
SMALL = {'--scenes 6': '--scenes 2 --size 96x64 --workers 1', '--keyframes 10': '--keyframes 2'}
SHORT = ['train_cfg.max_epochs=1', 'param_scheduler.1.T_max=1', 'test_dataloader.num_workers=0']


def test_the_page_shows_the_description_of_the_example():
    shown = re.search(r'```yaml\n(.*?)```', PAGE, re.DOTALL)[1]
    assert shown == description(World(6, 10, (320, 192), 0))
    assert len(shown.splitlines()) <= 20


def test_the_page_names_every_key_of_a_description():
    from hybrid_depth.rigs import description as module

    for key in (*module._KEYS, *module._CAMERA_KEYS):
        assert re.search(rf'`{key}`|`{key}:', PAGE), key


@pytest.mark.slow
def test_the_commands_run(tmp_path, monkeypatch, capsys, depth_model):  # noqa: F811
    """On a smaller example, with one epoch instead of 18 and a tiny depth model."""
    monkeypatch.chdir(tmp_path)
    assert [command[0] for command in COMMANDS] == [
        'make-toy-world', 'rig', 'rig', 'train', 'test', 'infer-bev', 'make-pseudo-depth',
    ]  # fmt: skip
    for command in COMMANDS:
        line = shlex.join(command).replace('epoch_18', 'epoch_1')
        for shown, instead in SMALL.items():
            line = line.replace(shown, instead)
        line = line.replace('DEPTH_CONFIG', str(depth_model[0]))
        arguments = shlex.split(line.replace('DEPTH_CHECKPOINT', str(depth_model[1])))
        if command[0] == 'train':
            arguments += SHORT
        if command[0] == 'make-pseudo-depth':
            arguments += ['--scale', 'none']  # random weights show no ground
        if command[0] == 'test':
            arguments += ['--cfg-options', 'test_dataloader.num_workers=0']
        monkeypatch.setattr(sys, 'argv', ['hybrid-depth', *arguments])
        try:
            cli.main()
        except SystemExit as end:  # `rig check` of two small images may name a fault
            assert command[:2] == ['rig', 'check'], end.code
    printed = capsys.readouterr().out
    assert '2 samples of 1 drives' in printed and 'mAP over the' in printed
    infos = tmp_path / 'data/toy_rig'
    assert len(list((tmp_path / 'work_dirs/rig/shown').glob('*.png'))) == 2
    assert len(list((tmp_path / 'work_dirs/rig/boxes').glob('*.json'))) == 2
    assert len(list((tmp_path / 'work_dirs/rig_check').glob('*.png'))) == 5
    assert len(list((infos / 'pseudo_depth/drive_00/left').glob('*.png'))) == 2
