"""Look-up of configs by path, else among those of the package."""

from pathlib import Path

import pytest

from hybrid_depth.config_files import FOLDER, find_config
from tests.conftest import ROOT


def test_the_folder_is_that_of_the_repository():
    assert FOLDER.resolve() == ROOT / 'configs'


@pytest.mark.parametrize('name', ['toy/bevdet_plain_toy.py', 'configs/toy/bevdet_plain_toy.py'])
def test_shipped_configs_are_found_from_any_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == FOLDER / 'toy/bevdet_plain_toy.py'


def test_user_files_take_precedence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    user_file = Path('configs/toy/bevdet_plain_toy.py')
    user_file.parent.mkdir(parents=True)
    user_file.touch()
    assert find_config(str(user_file)) == user_file
    assert find_config(user_file.absolute()) == user_file.absolute()


@pytest.mark.parametrize('name', ['absent.py', 'configs/absent.py', '/absent.py', 'toy', ''])
def test_missing_file_is_an_error(name):
    with pytest.raises(FileNotFoundError, match='got .*, which exists neither'):
        find_config(name)
