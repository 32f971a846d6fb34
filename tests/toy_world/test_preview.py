import numpy as np
import pytest

from hybrid_depth.toy_world.preview import draw_toy_world


@pytest.mark.parametrize(
    ('world', 'tile', 'rows', 'columns', 'beside'),
    [
        # two frames, each two rows of cameras and two of their depth, beside them the BEV
        ('toy_nuscenes', (36, 64), 8, 3, 4 * 36),
        ('toy_kitti', (48, 160), 6, 4, 0),
        ('toy_lanes', (90, 160), 1, 2, 0),
        ('toy_vehicle', (128, 192), 4, 4, 0),
    ],
)
def test_sheet(request, world, tile, rows, columns, beside):
    sheet = draw_toy_world(request.getfixturevalue(world))
    height, width = tile
    assert sheet.dtype == np.uint8
    assert sheet.shape == (rows * height, columns * width + beside, 3)
    tiles = sheet[:, : columns * width].reshape(rows, height, columns, width, 3)
    # a vehicle next to a camera may fill its depth with the colour of the smallest depth
    assert (tiles.std((1, 3)).max(-1) > 5).mean() > 0.9, 'no tile is empty'
    if beside:
        assert sheet[:, -beside:].std() > 5


def test_no_toy_world(tmp_path):
    with pytest.raises(FileNotFoundError, match='toy_world.json'):
        draw_toy_world(tmp_path)
