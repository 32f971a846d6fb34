"""docs/own_vehicle.md: its description is that of the example, and its commands run in order."""

import re
import shlex
import sys

import pytest

from hybrid_depth import cli
from hybrid_depth.toy_world.rig_layout import description
from hybrid_depth.toy_world.world import World
from tests.conftest import ROOT

PAGE = (ROOT / 'docs/own_vehicle.md').read_text()
COMMANDS = [
    shlex.split(line)
    for line in re.findall(r'^    \.venv/bin/hybrid-depth (.+)$', PAGE, re.MULTILINE)
]
#: The example at a size of seconds: what is on the page, and instead.
SMALL = {
    '--scenes 6': '--scenes 2 --size 96x64 --workers 1', '--keyframes 10': '--keyframes 12',
    'epoch_18': 'epoch_1', 'epoch_3': 'epoch_1',
}  # fmt: skip
SHORT = ['train_cfg.max_epochs=1', 'param_scheduler.1.T_max=1']


def test_the_page_shows_the_description_of_the_example():
    shown = re.search(r'```yaml\n(.*?)```', PAGE, re.DOTALL)[1]
    assert shown == description(World(6, 10, (320, 192), 0))
    assert len(shown.splitlines()) <= 20


def test_the_page_names_every_key_of_a_description():
    from hybrid_depth.rigs import description as module

    for key in (*module._KEYS, *module._CAMERA_KEYS):
        assert re.search(rf'`{key}`|`{key}:', PAGE), key


@pytest.mark.slow
def test_the_commands_run(tmp_path, monkeypatch, capsys):
    """On a smaller example, with one epoch."""
    monkeypatch.chdir(tmp_path)
    assert [command[0] for command in COMMANDS] == [
        'make-toy-world', 'rig', 'rig', 'train', 'test', 'infer-bev',
        'make-ego-masks', 'train', 'make-pseudo-depth', 'train',
    ]  # fmt: skip
    for command in COMMANDS:
        line = shlex.join(command)
        for shown, instead in SMALL.items():
            line = line.replace(shown, instead)
        arguments = shlex.split(line)
        if command[0] == 'train':
            arguments += SHORT
        if command[0] == 'test':
            arguments += ['--cfg-options', 'test_dataloader.num_workers=0']
        monkeypatch.setattr(sys, 'argv', ['hybrid-depth', *arguments])
        try:
            cli.main()
        except SystemExit as end:  # `rig check` of two small images may name a fault
            assert command[:2] == ['rig', 'check'], end.code
    printed = capsys.readouterr().out
    assert '12 samples of 1 drives' in printed and 'mAP over the' in printed
    infos = tmp_path / 'data/toy_rig'
    assert len(list((tmp_path / 'work_dirs/rig/shown').glob('*.png'))) == 12
    assert len(list((tmp_path / 'work_dirs/rig/boxes').glob('*.json'))) == 12
    assert len(list((tmp_path / 'work_dirs/rig_check').glob('*.png'))) == 5
    assert len(list((infos / 'pseudo_depth/drive_00/left').glob('*.png'))) == 12
    assert (tmp_path / 'work_dirs/rig_pseudo/epoch_1.pth').is_file()
