"""Info files of the toy world, clean or with a planted fault."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.doctor.case import Case
from tests.doctor.planted import Edit, edited_infos, toy_config


@pytest.fixture(scope='session')
def toy_infos(toy_nuscenes, tmp_path_factory) -> Path:
    """Folder of the info files of the toy root."""
    folder = tmp_path_factory.mktemp('infos')
    create_nuscenes_infos(toy_nuscenes, 'v1.0-mini', folder)
    return folder


@pytest.fixture
def toy_case(toy_nuscenes, toy_infos, tmp_path) -> Callable[..., Case]:
    """Makes a case of the toy world, with an edit of every sample planted in its info files."""

    def make(edit: Edit | None = None, config: str = 'bevdet_depth_toy', **options) -> Case:
        folder = toy_infos if edit is None else edited_infos(toy_infos, tmp_path, edit)
        cfg = toy_config(toy_nuscenes, folder, config)
        cfg.merge_from_dict(options)
        return Case(cfg)

    return make
