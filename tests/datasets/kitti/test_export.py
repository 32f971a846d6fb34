import json

import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.depth_map_files import read_depth_png
from hybrid_depth.datasets.kitti.export import (
    Truth,
    export_ground_truth,
    improved_truth,
    velodyne_truth,
)
from hybrid_depth.datasets.kitti.splits import KittiFrame, read_split
from hybrid_depth.datasets.kitti.tree import KittiRawTree
from hybrid_depth.depth.evaluation.files import DepthMaps
from hybrid_depth.errors import DepthDataError
from tests.datasets import kitti_files
from tests.golden import monodepth2
from tests.golden.reader import Golden

KITTI = Golden('monodepth2_kitti')
FRAMES = [KittiFrame(kitti_files.DRIVE, number) for number in (2, 1, 3)]


@pytest.fixture
def tree(tmp_path):
    return KittiRawTree(kitti_files.write_raw_tree(tmp_path / 'kitti'))


def test_partial_download_is_extended(tree, tmp_path):
    out = tmp_path / 'gt'
    report = export_ground_truth(FRAMES, velodyne_truth(tree), out, 'velodyne', 'local')
    assert (report.written, report.kept) == (2, 0)
    assert report.missing == [FRAMES[2]]
    info = json.loads((out / 'export.json').read_text())
    assert (info['maps'], info['frames'], info['complete']) == (2, 3, False)
    assert read_split(out / 'files.txt') == FRAMES[:2]

    sweep = tree.root / kitti_files.DRIVE / 'velodyne_points/data/0000000003.bin'
    kitti_files.write_sweep(sweep, kitti_files.forward_points(13))
    report = export_ground_truth(
        FRAMES, velodyne_truth(KittiRawTree(tree.root)), out, 'velodyne', 'local'
    )
    assert (report.written, report.kept, report.missing) == (1, 2, [])
    maps = DepthMaps(out)
    assert maps.names == [frame.name for frame in FRAMES]  # the split's order
    assert maps.export['complete']
    assert [float(one.max()) for one in (maps[0], maps[1], maps[2])] == [12, 11, 13]


def test_killed_export_leaves_no_incomplete_map(tree, tmp_path):
    def killed(frame):
        if frame.number == 1:
            raise KeyboardInterrupt
        return np.ones((2, 3))

    with pytest.raises(KeyboardInterrupt):
        export_ground_truth(
            FRAMES, Truth(killed, lambda frame: {}), tmp_path / 'gt', 'velodyne', 'local'
        )
    assert [path.name for path in (tmp_path / 'gt').glob('*.npz')] == [f'{FRAMES[0].name}.npz']
    assert not list((tmp_path / 'gt').glob('.*'))


def test_a_repaired_calibration_or_sweep_is_exported_again(tree, tmp_path):
    """Ground truth of a broken calibration was kept after its repair."""

    def export():
        truth = velodyne_truth(KittiRawTree(tree.root))
        return export_ground_truth(FRAMES[:2], truth, tmp_path / 'gt', 'velodyne', 'local')

    calibration = tree.root / FRAMES[0].folder.split('/')[0] / 'calib_velo_to_cam.txt'
    good = calibration.read_text()
    calibration.write_text(good + '\nnote: 1\n')
    assert export()[:2] == (2, 0)
    assert export()[:2] == (0, 2)
    calibration.write_text(good)
    report = export()
    assert report[:2] == (2, 0) and report.changed == ['calib_velo_to_cam.txt']
    sweep = KittiRawTree(tree.root).sweeps(FRAMES[0].folder)[FRAMES[0].number]
    kitti_files.write_sweep(sweep, kitti_files.forward_points(14))
    report = export()
    assert report[:2] == (1, 1) and report.changed == ['sweep']
    assert DepthMaps(tmp_path / 'gt')[0].max() == 14
    (tmp_path / 'gt/origins.jsonl').unlink()  # an export of an older version
    assert export()[:2] == (2, 0)


def test_exports_are_not_mixed(tree, tmp_path):
    out = tmp_path / 'gt'
    export_ground_truth(FRAMES, velodyne_truth(tree), out, 'velodyne', 'local')
    with pytest.raises(DepthDataError, match='folder of velodyne for local'):
        export_ground_truth(FRAMES, velodyne_truth(tree), out, 'improved', 'local')
    with pytest.raises(DepthDataError, match='expected to add to ground truth of velodyne'):
        export_ground_truth(FRAMES[:1], velodyne_truth(tree), out, 'velodyne', 'eigen')


def test_nothing_to_export(tree, tmp_path):
    with pytest.raises(DepthDataError, match='got none on disk'):
        export_ground_truth(FRAMES[2:], velodyne_truth(tree), tmp_path / 'gt', 'velodyne', 'local')
    with pytest.raises(FileNotFoundError, match='data_depth_annotated'):
        improved_truth(tmp_path)


def test_improved_maps(tmp_path):
    place = tmp_path / 'val' / kitti_files.DRIVE.split('/')[1] / 'proj_depth/groundtruth/image_02'
    place.mkdir(parents=True)
    values = np.array([[0, 256], [2560, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(place / '0000000001.png')
    report = export_ground_truth(
        FRAMES, improved_truth(tmp_path), tmp_path / 'gt', 'improved', 'eigen'
    )
    assert report.missing == [FRAMES[0], FRAMES[2]]
    np.testing.assert_array_equal(DepthMaps(tmp_path / 'gt')[0], [[0, 1], [10, 65535 / 256]])


def test_depth_png_must_be_16_bit(tmp_path):
    Image.new('L', (4, 3)).save(tmp_path / 'a.png')
    with pytest.raises(DepthDataError, match='16-bit grey PNG, got mode L'):
        read_depth_png(tmp_path / 'a.png')
    (tmp_path / 'b.png').write_bytes(b'no image')
    with pytest.raises(DepthDataError, match='damaged'):
        read_depth_png(tmp_path / 'b.png')


def test_real_frames_equal_the_golden_counts(real_data, tmp_path):
    tree = KittiRawTree(real_data / 'kitti_raw')
    frames = [KittiFrame(monodepth2.DRIVE, number) for number in monodepth2.FRAMES]
    export_ground_truth(frames, velodyne_truth(tree), tmp_path / 'gt', 'velodyne', 'real')
    for place, frame in enumerate(monodepth2.FRAMES):
        depth = DepthMaps(tmp_path / 'gt')[place]
        prefix = f'depth.{frame}.forward'
        KITTI.check(f'{prefix}.count', np.count_nonzero(depth), 0)
        rows, columns = KITTI.array(f'{prefix}.rows'), KITTI.array(f'{prefix}.cols')
        stored = KITTI.array(f'{prefix}.values').astype(np.float32)
        np.testing.assert_array_equal(depth[rows, columns], stored)


def test_real_annotated_depth(real_data):
    depth = read_depth_png(real_data / 'kitti_depth_annotated' / 'depth' / '0000000050.png')
    measured = depth[depth > 0]
    assert 0.05 < len(measured) / depth.size < 0.5
    assert 1 < measured.min() and measured.max() < 100
