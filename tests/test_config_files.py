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


@pytest.mark.parametrize(
    ('name', 'similar'),
    [
        ('configs/toy/bevdet_hybrid_toi.py', 'toy/bevdet_hybrid_toy.py'),
        ('bevdet_hybrid_toy', 'toy/bevdet_hybrid_toy.py'),
        ('bevdet_r50_8xb8', 'bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py'),
    ],
)
def test_configs_of_similar_name_are_suggested(name, similar):
    with pytest.raises(FileNotFoundError, match=rf'Similar: .*{similar}[,.]'):
        find_config(name)


def test_at_most_three_configs_are_suggested():
    with pytest.raises(FileNotFoundError, match='Similar') as error:
        find_config('toy')
    assert str(error.value).split('Similar')[1].count('.py') == 3
    with pytest.raises(FileNotFoundError) as error:
        find_config('qqqqqq.py')
    assert 'Similar' not in str(error.value)
