"""Info files of the toy world, clean or with a planted fault."""

from collections.abc import Callable

import pytest

from hybrid_depth.doctor.case import Case
from tests.doctor.planted import Edit, edited_infos, toy_config


@pytest.fixture
def toy_case(toy_nuscenes, toy_infos, tmp_path) -> Callable[..., Case]:
    """Makes a case of the toy world, with an edit of every sample planted in its info files."""

    def make(edit: Edit | None = None, config: str = 'bevdet_depth_toy', **options) -> Case:
        folder = toy_infos if edit is None else edited_infos(toy_infos, tmp_path, edit)
        cfg = toy_config(toy_nuscenes, folder, config)
        cfg.merge_from_dict(options)
        return Case(cfg)

    return make
