import json

import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.depth_map_files import read_depth_png
from hybrid_depth.depth.evaluation.files import DepthMaps
from hybrid_depth.errors import DepthDataError
from hybrid_depth.inference.depth import DepthResult
from hybrid_depth.inference.depth_writer import DepthWriter, render_depth

CAMERA = np.array([[50.0, 0, 24], [0, 60, 16], [0, 0, 1]])


def result(name='a', scale=None):
    """A ground plane: disparity increases towards the bottom."""
    disparity = np.linspace(0.02, 2, 32, dtype=np.float32)[:, None].repeat(48, 1)
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    return DepthResult(name, image, disparity, scale)


def write(out, *results, **options):
    writer = DepthWriter(out, **options)
    for one in results:
        writer.write(one)
    writer.close(config='c.py')
    return json.loads((out / 'manifest.json').read_text())


@pytest.mark.parametrize('name', ['x/../../../evil', '../b', '/tmp/evil', '..', 'a/b', 'a\0b'])
def test_names_that_are_paths_stay_in_the_folder(tmp_path, name):
    out = tmp_path / 'a' / 'b' / 'out'
    written = write(out, result(name), colors=False, cam2img=CAMERA)['files'][0]['name']
    names = {path.relative_to(out).as_posix() for path in tmp_path.rglob('*') if path.is_file()}
    assert names == {f'depth/{written}.npy', f'cloud/{written}.ply', 'manifest.json'}


def test_exact_numbers_and_what_they_mean(tmp_path):
    manifest = write(tmp_path, result('a'), result('b'), colors=False)
    np.testing.assert_array_equal(np.load(tmp_path / 'depth/b.npy'), result().disparity)
    assert manifest['kind'] == 'disparity' and manifest['config'] == 'c.py'
    assert manifest['files'] == [dict(name=n, size=[32, 48], frames=[0]) for n in 'ab']
    assert len(DepthMaps(tmp_path / 'depth')) == 2  # the evaluator reads the folder
    assert not (tmp_path / 'color').exists() and not (tmp_path / 'cloud').exists()


def test_relative_png_holds_disparity(tmp_path):
    manifest = write(tmp_path, result(), numbers='png', max_disparity=10.0)
    stored = np.array(Image.open(tmp_path / 'depth/a.png'))
    assert stored.dtype == np.uint16 or stored.dtype == np.int32
    half_step = 0.5 / manifest['png_factor'] + 1e-7
    np.testing.assert_allclose(stored / manifest['png_factor'], result().disparity, atol=half_step)
    assert manifest['kind'] == 'disparity' and half_step < 1e-4
    ratio = read_depth_png(tmp_path / 'depth/a.png') / result().disparity
    np.testing.assert_allclose(
        ratio, ratio.mean(), rtol=0.01
    )  # one factor for all images, so it can be evaluated


def test_disparity_beyond_the_png_range_is_clamped(tmp_path):
    write(tmp_path, result(), numbers='png', max_disparity=1.0)
    assert np.array(Image.open(tmp_path / 'depth/a.png')).max() == 65535


def test_far_disparity_is_stored_as_the_smallest_number_not_as_none(tmp_path):
    """0 stands for no depth in a PNG."""
    far = result()
    far.disparity[:4] = 1e-6
    write(tmp_path, far, numbers='png', colors=False)
    stored = np.array(Image.open(tmp_path / 'depth/a.png'))
    assert (stored[:4] == 1).all() and (read_depth_png(tmp_path / 'depth/a.png') > 0).all()


def test_metric_png_is_kittis(tmp_path):
    manifest = write(tmp_path, result(scale=4.0), numbers='png')
    read = read_depth_png(tmp_path / 'depth/a.png')
    np.testing.assert_allclose(read, 4 / result().disparity, atol=0.5 / 256 + 1e-5)
    assert manifest['kind'] == 'metric' and manifest['png_factor'] == 256
    assert manifest['unit'] == 'm'


def test_point_cloud(tmp_path):
    write(tmp_path, result(scale=1.0), numbers='none', cam2img=CAMERA, depth_range=(0.1, 10.0))
    head, _, body = (tmp_path / 'cloud/a.ply').read_bytes().partition(b'end_header\n')
    types = [(n, '<f4') for n in 'xyz'] + [(n, 'u1') for n in 'rgb']
    points = np.frombuffer(body, types)
    depth = 1 / result().disparity
    v, u = np.nonzero(depth <= 10)
    assert f'element vertex {len(v)}'.encode() in head and len(points) == len(v) < 32 * 48
    np.testing.assert_allclose(points['z'], depth[v, u], rtol=1e-5)
    np.testing.assert_allclose(points['x'], (u - 24) / 50 * depth[v, u], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(points['y'], (v - 16) / 60 * depth[v, u], rtol=1e-4, atol=1e-5)
    colors = np.stack([points[n] for n in 'rgb'], 1)
    np.testing.assert_array_equal(colors, result().image[v, u])
    assert b'unit: m' in head and not (tmp_path / 'depth').exists()


def test_trimesh_reads_the_point_cloud(tmp_path):
    trimesh = pytest.importorskip('trimesh')
    write(tmp_path, result(), numbers='none', cam2img=CAMERA)
    cloud = trimesh.load(tmp_path / 'cloud/a.ply')
    assert cloud.vertices.shape[0] > 1000 and np.ptp(cloud.vertices[:, 2]) > 1


def test_visualization_of_near_and_far():
    visualization = render_depth(result(), 0.5, 20.0)
    assert visualization.shape == (7 * (32 + 32) + 40, 7 * 48, 3)  # enlarged to fit the legend
    np.testing.assert_array_equal(visualization[3 : 7 * 32 : 7, 3::7], result().image)
    far, near = visualization[7 * 34, 5].astype(int), visualization[7 * 62, 5].astype(int)
    assert near[0] > near[2] and far[2] > far[0]  # red, blue


@pytest.mark.parametrize('flat', [0.2, 5.0])
def test_constant_maps_have_a_visualization(tmp_path, flat):
    image = np.zeros((8, 60, 3), np.uint8)
    write(tmp_path, DepthResult('flat', image, np.full((8, 60), flat, np.float32)))
    assert (tmp_path / 'color/flat.png').is_file()


def test_mixing_kinds_is_an_error(tmp_path):
    with pytest.raises(DepthDataError, match='of one kind'):
        write(tmp_path, result('a'), result('b', scale=2.0))


@pytest.mark.parametrize('options', [dict(numbers='jpg'), dict(depth_range=(5.0, 1.0))])
def test_invalid_options(tmp_path, options):
    with pytest.raises(DepthDataError, match='expected'):
        DepthWriter(tmp_path, **options)
