from pathlib import Path

import numpy as np
import pytest

from hybrid_depth.datasets.depth_map_files import (
    pseudo_depth_path,
    read_pseudo_depth,
    write_depth_png,
)


def test_pseudo_depth_is_beside_its_camera():
    path = pseudo_depth_path('out', 'CAM_FRONT', '/data/samples/CAM_FRONT/n015+0800__1.jpg')
    assert path == Path('out/CAM_FRONT/n015+0800__1.png')


@pytest.mark.parametrize(
    ('camera', 'image'),
    [
        ('../CAM_FRONT', 'a.jpg'),
        ('../../../evil', 'a.jpg'),
        ('/tmp/evil', 'a.jpg'),
        ('CAM/FRONT', 'a.jpg'),
        ('..', '..'),
        ('', ''),
        ('CAM_FRONT', 'x/../..'),
        ('CAM_FRONT', '..\\..\\evil.jpg'),
        ('CAM\0', 'a\0.jpg'),
        (7, '.jpg'),
    ],
)
def test_cameras_that_are_paths_stay_in_the_folder(tmp_path, camera, image):
    out = tmp_path / 'a' / 'b' / 'out'
    path = pseudo_depth_path(out, camera, image)
    write_depth_png(np.ones((2, 2)), path, dict(img_aug='[[1]]'))
    assert [p for p in tmp_path.rglob('*') if p.is_file()] == [path]
    assert path.parent.parent == out and path.resolve().is_relative_to(out)
    depth, _ = read_pseudo_depth(pseudo_depth_path(out, camera, image))  # its reader finds it
    assert depth.shape == (2, 2)
