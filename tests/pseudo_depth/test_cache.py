"""Cache of pseudo depth: command line, shards, other rigs, equality with the prediction."""

import json
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from mmengine import dump, load
from PIL import Image

from hybrid_depth.datasets.depth_map_files import read_pseudo_depth, write_depth_png
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.errors import DepthDataError
from hybrid_depth.foundation.images import unit_range
from hybrid_depth.geometry import CameraRig
from hybrid_depth.pseudo_depth.cache import keyframes_for, read_scales
from hybrid_depth.pseudo_depth.model import PseudoDepth
from hybrid_depth.pseudo_depth.transform import LoadPseudoDepth
from tests.hostile import payloads
from tests.tools.run import run_tool


@pytest.fixture(scope='module')
def infos(toy_nuscenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp('infos')
    create_nuscenes_infos(toy_nuscenes, 'v1.0-mini', folder)
    return folder / 'nuscenes_infos_train.pkl'


@pytest.mark.parametrize('line', ['1e999', '{"file": "a.png"}', '{"file": "a.png", "scale": "x"}'])
def test_damaged_records_are_skipped(tmp_path, line):
    good = dict(file='a.png', scale=None, spread=None, share=None, known=0.5)
    (tmp_path / 'scales_000.jsonl').write_text(f'{line}\n{json.dumps(good)}\n')
    assert list(read_scales(tmp_path)) == [good]


def test_cache_by_command_line(depth_model, infos, toy_nuscenes, tmp_path):
    out = tmp_path / 'cache'
    arguments = (*depth_model, '--infos', infos, '--root', toy_nuscenes, '--out', out)
    arguments += ('--scale', 'none', '--mirror-tolerance', '0.5')
    # in its own process, where nothing else has registered the transforms of BEV models
    command = [sys.executable, '-m', 'hybrid_depth', 'make-pseudo-depth', *map(str, arguments)]
    assert '12 images' in subprocess.run(command, stdout=-1, text=True, check=True).stdout
    files = sorted(out.glob('CAM_*/*.png'))
    assert len(files) == 12 == len(list(read_scales(out)))
    first = files[0].read_bytes()

    files[0].unlink()  # of a killed run: the last record is truncated
    notes = out / 'scales_000.jsonl'
    notes.write_text(notes.read_text()[:-20])
    assert run_tool('make_pseudo_depth.py', *arguments) is None
    assert files[0].read_bytes() == first  # a deleted file is written again
    assert len({note['file'] for note in read_scales(out)}) == 12
    # the record of a keyframe's first image is truncated: the new one is on a new line, so that the
    # next run finds all records
    (first_note,) = [line for line in notes.read_text().splitlines() if line][:1]
    notes.write_text(first_note[:-20])
    for _ in range(2):
        assert run_tool('make_pseudo_depth.py', *arguments) is None
        assert len(list(read_scales(out))) == 12
    notes.unlink()
    files[0].write_bytes(b'')
    assert run_tool('make_pseudo_depth.py', *arguments) is None
    assert files[0].read_bytes() == first

    error = run_tool('make_pseudo_depth.py', *arguments, '--max-depth', '40')
    assert 'another origin' in error and 'max_depth 40.0' in error
    assert json.loads((out / 'manifest.json').read_text())['max_depth'] == 80.0


@pytest.mark.parametrize('change', ['calibration', 'image', 'nothing'])
def test_depth_of_another_calibration_or_image_is_made_again(
    depth_model, infos, toy_nuscenes, tmp_path, change
):
    """It was kept: only the names of the files counted."""
    content, own = load(infos), tmp_path / 'infos.pkl'
    camera = content['data_list'][1]['images']['CAM_BACK']
    camera['img_path'] = str(tmp_path / 'CAM_BACK.png')
    shutil.copy(next(toy_nuscenes.glob('samples/CAM_BACK/*')), camera['img_path'])
    dump(content, own)
    out = tmp_path / 'cache'
    arguments = (*depth_model, '--infos', own, '--root', toy_nuscenes, '--out', out)
    arguments += ('--scale', 'none')
    assert run_tool('make_pseudo_depth.py', *arguments) is None
    before = {path: path.stat().st_mtime_ns for path in out.glob('CAM_*/*.png')}
    if change == 'calibration':
        camera['cam2img'][0][0] *= 1.01
        dump(content, own)
    if change == 'image':
        Image.new('RGB', Image.open(camera['img_path']).size).save(camera['img_path'])
    assert run_tool('make_pseudo_depth.py', *arguments) is None
    again = {path for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert len(again) == (0 if change == 'nothing' else 6)
    assert change == 'nothing' or out / 'CAM_BACK/CAM_BACK.png' in again


def test_another_model_of_the_same_config_name_is_refused(
    depth_model, infos, toy_nuscenes, tmp_path
):
    config, checkpoint = depth_model
    own = tmp_path / 'net.py'
    shared = ('--infos', infos, '--root', toy_nuscenes, '--out', tmp_path / 'cache')
    shared += ('--scale', 'none')
    for depth, refused in ((0.1, False), (0.2, True)):
        own.write_text(f"_base_ = '{config}'\nmodel = dict(min_depth={depth})\n")
        error = run_tool('make_pseudo_depth.py', own, checkpoint, *shared)
        assert (error is None) is not refused
    assert 'another origin' in error and 'model ' in error


def test_another_size_by_command_line(depth_model, infos, toy_nuscenes, tmp_path):
    out = tmp_path / 'cache'
    arguments = (*depth_model, '--infos', infos, '--root', toy_nuscenes, '--out', out)
    options = ('--scale', 'none', '--mirror-tolerance', '9', '--size', '48', '96')
    assert run_tool('make_pseudo_depth.py', *arguments, *options) is None
    assert json.loads((out / 'manifest.json').read_text())['image_size'] == [48, 96]
    depth, _ = read_pseudo_depth(next(out.glob('CAM_*/*.png')))
    assert depth.shape == (48, 96)


def test_shards_of_torchrun(depth_model, infos, toy_nuscenes, tmp_path, monkeypatch):
    """Three processes, more than there are keyframes, one after the other."""
    out = tmp_path / 'cache'
    arguments = (*depth_model, '--infos', infos, '--root', toy_nuscenes, '--out', out)
    monkeypatch.setenv('WORLD_SIZE', '3')
    for rank in range(3):
        monkeypatch.setenv('RANK', str(rank))
        assert run_tool('make_pseudo_depth.py', *arguments, '--scale', 'none') is None
        assert len(list(out.glob('CAM_*/*.png'))) == min(6 * (rank + 1), 12)
    assert len(list(read_scales(out))) == 12


def test_cache_with_neighbours(depth_model, infos, toy_nuscenes, tmp_path):
    """Fewer valid pixels than without, except at the start of a scene, which has no neighbour."""
    known = []
    for name, options in (('alone', ()), ('compared', ('--neighbour-tolerance', '0.001'))):
        arguments = (*depth_model, '--infos', infos, '--root', toy_nuscenes)
        arguments += ('--out', tmp_path / name, '--scale', 'none', *options)
        assert run_tool('make_pseudo_depth.py', *arguments) is None
        known.append([note['known'] for note in read_scales(tmp_path / name)])
    alone, compared = np.array(known).reshape(2, 2, 6)
    np.testing.assert_array_equal(compared[0], alone[0])
    assert (compared[1] <= alone[1]).all() and compared[1].mean() < 0.9 * alone[1].mean()


def test_cameras_of_another_rig(depth_model, infos, toy_nuscenes, tmp_path):
    content = load(infos)
    for info in content['data_list']:
        info['images'] = dict(MINE=info['images']['CAM_BACK'])
    dump(content, tmp_path / 'infos.pkl')
    samples, out = tmp_path / 'root' / 'samples', tmp_path / 'cache'
    samples.mkdir(parents=True)
    (samples / 'MINE').symlink_to(toy_nuscenes / 'samples' / 'CAM_BACK')
    arguments = (*depth_model, '--infos', tmp_path / 'infos.pkl', '--root', samples.parent)
    assert run_tool('make_pseudo_depth.py', *arguments, '--out', out, '--scale', 'none') is None
    assert len(list(out.glob('MINE/*.png'))) == 2 == len(list(out.glob('*/*.png')))
    absent = (*depth_model, '--infos', tmp_path / 'absent.pkl', '--out', out)
    assert 'create-nuscenes-infos' in run_tool('make_pseudo_depth.py', *absent)


def test_code_in_an_info_file_is_not_run(depth_model, infos, toy_nuscenes, tmp_path):
    path, marker = tmp_path / 'infos.pkl', tmp_path / 'code-has-run'
    path.write_bytes(pickle.dumps(dict(load(infos), x=payloads(marker)['system'])))
    arguments = (*depth_model, '--infos', path, '--root', toy_nuscenes, '--out', tmp_path / 'out')
    assert 'infos.pkl: expected numbers' in run_tool('make_pseudo_depth.py', *arguments)
    assert not marker.exists() and not (tmp_path / 'out').exists()


def test_cameras_that_are_paths_stay_in_the_folder(depth_model, infos, toy_nuscenes, tmp_path):
    content = load(infos)
    for info in content['data_list']:
        info['images'] = {'../../../evil': info['images']['CAM_BACK']}
    dump(content, tmp_path / 'infos.pkl')
    root, out = tmp_path / 'r' / 'o' / 'o' / 't', tmp_path / 'a' / 'b' / 'out'
    (root / 'samples').mkdir(parents=True)
    (root.parents[1] / 'evil').symlink_to(toy_nuscenes / 'samples' / 'CAM_BACK')
    arguments = (*depth_model, '--infos', tmp_path / 'infos.pkl', '--root', root, '--out', out)
    assert run_tool('make_pseudo_depth.py', *arguments, '--scale', 'none') is None
    written = [path for path in tmp_path.rglob('*.png') if not path.is_symlink()]
    assert len(written) == 2 and all(path.parent.parent == out for path in written)


def test_depth_without_any_scale_is_an_error(depth_model, infos, toy_nuscenes, tmp_path):
    """The scale of the tiny model with random weights cannot be estimated."""
    out = tmp_path / 'cache'
    arguments = (*depth_model, '--infos', infos, '--root', toy_nuscenes, '--out', out)
    assert "estimated by 'ground', got none" in run_tool('make_pseudo_depth.py', *arguments)


def test_cached_depth_equals_the_prediction(depth_model, infos, toy_nuscenes, tmp_path):
    """Loaded through a pipeline with augmentation, equal to the prediction pixel by pixel."""
    from hybrid_depth.apis import init_depth_model

    out = tmp_path / 'cache'
    arguments = (*depth_model, '--infos', infos, '--root', toy_nuscenes, '--out', out)
    arguments += ('--scale', 'none', '--mirror-tolerance', '9')
    assert run_tool('make_pseudo_depth.py', *arguments) is None
    source = PseudoDepth(init_depth_model(*depth_model), 'none', 9)
    dataset = keyframes_for(source, infos, toy_nuscenes)
    sample = dataset[0]
    rig = CameraRig.collate([sample['inputs']['rig']])
    expected, _ = source(dict(imgs=unit_range(sample['inputs']['img'])[None], rig=rig))
    info = dataset.get_data_info(0)
    names = dict(cam_names=info['cam_names'], img_path=info['img_path'])
    images = [Image.new('RGB', (128, 64))] * 6
    same = dict(names, img_aug=sample['inputs']['rig']['img_aug'].numpy(), img=images)
    loaded = LoadPseudoDepth(str(out))(same)['pseudo_depth']
    np.testing.assert_allclose(loaded, expected[0].numpy(), atol=1 / 256)
    flip = np.array([[-1.0, 0, 127], [0, 1, 0], [0, 0, 1]])
    turned = dict(same, img_aug=flip @ same['img_aug'])
    mirrored = LoadPseudoDepth(str(out))(turned)['pseudo_depth']
    np.testing.assert_array_equal(mirrored, loaded[..., ::-1])


def test_bad_cache(tmp_path):
    with pytest.raises(FileNotFoundError, match='make-pseudo-depth'):
        read_pseudo_depth(tmp_path / 'absent.png')
    write_depth_png(np.ones((2, 2)), tmp_path / 'other.png')
    with pytest.raises(DepthDataError, match='without its region of the image'):
        read_pseudo_depth(tmp_path / 'other.png')
