"""Pseudo depth of a self-supervised model: scale, consistency checks, cache, losses."""

import json
import pickle
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine import dump, load
from mmengine.config import Config
from mmengine.logging import MessageHub
from PIL import Image
from torch import nn

from hybrid_depth.bev.detectors.bevdet import BEVDet
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.datasets.depth_map_files import read_pseudo_depth, write_depth_png
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.depth.pose.nets import PoseCNN
from hybrid_depth.errors import ConfigError, DepthDataError
from hybrid_depth.geometry import CameraRig, DepthMap, cell_pixels, ground_plane_depth
from hybrid_depth.geometry.depth_consistency import depth_consistency_mask
from hybrid_depth.geometry.projection import focal_length
from hybrid_depth.pseudo_depth import model as pseudo_depth
from hybrid_depth.pseudo_depth.cache import keyframes_for, read_scales
from hybrid_depth.pseudo_depth.hook import OnlinePseudoDepthHook
from hybrid_depth.pseudo_depth.model import PseudoDepth
from hybrid_depth.pseudo_depth.transform import LoadPseudoDepth
from tests.bev.depth_nets.test_semantics import forward_rig
from tests.conftest import ROOT
from tests.depth.estimators.tiny import CONV
from tests.hostile import payloads
from tests.tools.run import run_tool

SIZE = (32, 64)
FACTOR = 5.4


class ReadsChannel(nn.Module):
    """Estimator whose disparity is the first channel of the image, at its `canonical_focal` if
    any, and whose pose net returns `motion`. `cameras` are those of all calls."""

    image_size = SIZE
    motion = torch.eye(4)
    canonical_focal = None

    def __init__(self):
        super().__init__()
        self.pose_net = SimpleNamespace(depth_scaled=False)
        self.cameras = []

    def predict(self, frames: dict, cameras: torch.Tensor) -> DepthMap:
        self.cameras.append(cameras)
        disparity = frames[0][:, :1].clone()
        if self.canonical_focal is not None:
            ratio = self.canonical_focal / focal_length(cameras)
            disparity *= ratio.view(-1, 1, 1, 1).float()
        return DepthMap(disparity, 'disparity')

    def relative_pose(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return self.motion.repeat(len(first), 1, 1)


@pytest.fixture
def street() -> torch.Tensor:
    """(1, 1, 32, 64) metres: ground with a wall at 30 m, 1.5 m below the camera."""
    plane = ground_plane_depth(cell_pixels(SIZE, SIZE), forward_rig(), max_depth=80.0)
    return torch.where(plane > 0, plane, 30.0).clamp(max=30.0).float()


def inputs_of(street: torch.Tensor) -> dict:
    images = torch.zeros(1, 1, 3, *SIZE)
    images[:, :, 0] = FACTOR / street
    return dict(imgs=images, rig=forward_rig())


def test_metric_scale_without_lidar(street):
    depth, scale = PseudoDepth(ReadsChannel())(inputs_of(street))
    torch.testing.assert_close(depth, street, rtol=0.01, atol=0)
    assert abs(float(scale.scale) - FACTOR) < 0.01 * FACTOR
    known = PseudoDepth(ReadsChannel(), max_depth=20.0)(inputs_of(street))[0]
    assert torch.equal(known > 0, street * 1.001 <= 20.0)


def test_the_model_is_frozen():
    model = ReadsChannel()
    model.norm = nn.BatchNorm2d(3)
    PseudoDepth(model.train())
    assert not any(module.training for module in model.modules())
    assert not any(p.requires_grad for p in model.parameters())


def test_both_disparities_are_averaged(street):
    class OneSided(ReadsChannel):
        """4 % more disparity in the left half of whatever image it is given."""

        def predict(self, frames, cameras):
            prediction = super().predict(frames, cameras)
            prediction.values[..., : SIZE[1] // 2] *= 1.04
            return prediction

    depth, _ = PseudoDepth(OneSided(), 'none')(inputs_of(street))
    torch.testing.assert_close(depth * FACTOR * 1.02, street)


def test_ground_from_a_mask(street):
    """An object covers most of the road, which would give a smaller scale."""
    inputs = inputs_of(street)
    rows, columns = slice(20, 32), slice(0, 48)
    inputs['imgs'][:, :, 0, rows, columns] *= 1.5
    mask = torch.ones(1, 1, *SIZE, dtype=torch.bool)
    mask[..., rows, columns] = False
    _, misled = PseudoDepth(ReadsChannel(), mirror_tolerance=9)(inputs)
    _, scale_of_mask = PseudoDepth(ReadsChannel(), mirror_tolerance=9)(
        dict(inputs, ground_mask=mask)
    )
    assert float(scale_of_mask.scale) == pytest.approx(FACTOR, rel=0.01)
    assert not float(misled.scale) == pytest.approx(FACTOR, rel=0.1)


def test_images_of_another_size_are_resized(street):
    inputs = inputs_of(street)
    big = nn.functional.interpolate(inputs['imgs'][0], scale_factor=2, mode='nearest')[None]
    affine = torch.tensor([[2.0, 0, 0.5], [0, 2, 0.5], [0, 0, 1]]).double()
    rig = replace(inputs['rig'], img_aug=affine[None, None])
    depth, scale = PseudoDepth(ReadsChannel())(dict(imgs=big, rig=rig))
    assert depth.shape[-2:] == SIZE and abs(float(scale.scale) - FACTOR) < 0.02 * FACTOR


def test_pixels_inconsistent_with_the_mirrored_image_are_dropped(street):
    class Inconsistent(ReadsChannel):
        def predict(self, frames, cameras):
            prediction = super().predict(frames, cameras)
            prediction.values[..., :10] *= 1.5  # larger at the left for any image
            return prediction

    depth, _ = PseudoDepth(Inconsistent())(inputs_of(street))
    assert (depth[..., :10] == 0).all() and (depth[..., -10:] == 0).all()
    assert (depth[..., 10:-10] > 0).all()


def drive(inputs: dict, metres: float) -> dict:
    """The street from an earlier position of the vehicle; the wall is static."""
    before = replace(inputs['rig'], ego2global=torch.eye(4).double()[None].clone())
    before.ego2global[0, 0, 3] = -metres
    depth = FACTOR / inputs['imgs'][:, :, :1]
    depth = torch.where(depth > 29.9, depth + metres, depth)
    images = inputs['imgs'].clone()
    images[:, :, :1] = FACTOR / depth
    return dict(imgs=images, rig=before)


@pytest.mark.parametrize('enlarged', [1, 2])
def test_pixels_inconsistent_with_the_previous_frame_are_dropped(street, enlarged, monkeypatch):
    """A new object; the model's images have half the size of the inputs."""
    inputs = inputs_of(street)
    before = drive(inputs, 3.0)
    before['imgs'] *= 2  # another unit
    inputs['imgs'][..., 0, 5:12, 20:30] = FACTOR / 10.0
    affine = torch.tensor([[2.0, 0, 0.5], [0, 2, 0.5], [0, 0, 1]]).double()[None, None]
    for frame in (inputs, before) if enlarged == 2 else ():
        frame['imgs'] = frame['imgs'].repeat_interleave(2, -1).repeat_interleave(2, -2)
        frame['rig'] = replace(frame['rig'], img_aug=affine)
    inputs['adjacent'] = [before]
    source = dict(model=ReadsChannel(), scale='ground', mirror_tolerance=9.0)
    transforms = []

    def spy(depth, other, cam2img, other_cam2img, transform, tolerance):
        transforms.append(transform)
        for matrix in (cam2img, other_cam2img):  # pixel centres do not move
            torch.testing.assert_close(matrix, forward_rig().cam2img[0])
        return depth_consistency_mask(depth, other, cam2img, other_cam2img, transform, tolerance)

    monkeypatch.setattr(pseudo_depth, 'depth_consistency_mask', spy)
    alone, _ = PseudoDepth(**source)(inputs)
    depth, _ = PseudoDepth(**source, neighbour_tolerance=0.15)(inputs)
    (transform,) = transforms
    assert transform[0, :3, 3].tolist() == [0, 0, 3.0]  # forward motion of the vehicle
    inside = depth[0, 0, 6:11, 21:29]
    assert (alone > 0).all() and (inside == 0).all()
    kept = depth > 0
    assert kept.float().mean() > 0.85
    assert torch.equal(depth[kept], alone[kept])


def test_scale_by_lidar_and_by_motion(street):
    inputs = inputs_of(street)
    lidar = torch.where(torch.rand(street.shape) < 0.1, street, 0.0)
    depth, _ = PseudoDepth(ReadsChannel(), 'lidar')(dict(inputs, gt_depth=lidar))
    torch.testing.assert_close(depth, street, rtol=1e-4, atol=0)

    before = replace(inputs['rig'], ego2global=torch.eye(4).double()[None].clone())
    before.ego2global[0, 0, 3] = -2.0  # the vehicle has moved 2 m
    model = ReadsChannel()
    model.motion = torch.eye(4)
    model.motion[2, 3] = -2.0 / FACTOR
    adjacent = [dict(imgs=inputs['imgs'], rig=before)]
    depth, scale = PseudoDepth(model, 'motion')(dict(inputs, adjacent=adjacent))
    torch.testing.assert_close(depth, street, rtol=1e-4, atol=0)
    assert scale.spread.abs() < 1e-6  # the motions have the same direction
    depth, _ = PseudoDepth(ReadsChannel(), 'none')(inputs)
    torch.testing.assert_close(depth * FACTOR, street)


def test_metric_depth_at_other_focal_lengths(street):
    """The model predicts for a focal length of 40 pixels at its image size."""
    inputs, model = inputs_of(street), ReadsChannel()
    model.canonical_focal = 40.0
    focal = float(inputs['rig'].cam2img[0, 0, 0, 0])
    depth, _ = PseudoDepth(model, 'none')(inputs)
    torch.testing.assert_close(depth * FACTOR, street * (focal / 40))
    big = nn.functional.interpolate(inputs['imgs'][0], scale_factor=2, mode='nearest')[None]
    mirrored = torch.tensor([[-2.0, 0, 127.5], [0, 2, 0.5], [0, 0, 1]]).double()
    rig = replace(inputs['rig'], img_aug=mirrored[None, None])
    depth, _ = PseudoDepth(model, 'none')(dict(imgs=big.flip(-1), rig=rig))
    ratio = depth * FACTOR / street.flip(-1)  # pixels off the median are blurred by resizing
    torch.testing.assert_close(ratio.median(), torch.tensor(focal / 40))


def test_models_get_the_intrinsics_of_both_images(street):
    """The principal point of the mirrored image is mirrored."""
    inputs, model = inputs_of(street), ReadsChannel()
    inputs['rig'].cam2img[..., 0, 2] = 20.0
    PseudoDepth(model)(inputs)
    plain, mirrored = model.cameras
    torch.testing.assert_close(plain, inputs['rig'].cam2img[0])
    expected = plain.clone()
    expected[:, 0, 2] = SIZE[1] - 1 - 20.0
    torch.testing.assert_close(mirrored, expected)


def test_metric_models_are_not_scaled(street):
    class Metric(ReadsChannel):
        def predict(self, frames, cameras):
            return super().predict(frames, cameras).scaled(FACTOR)

    depth, _ = PseudoDepth(Metric(), 'none')(inputs_of(street))
    torch.testing.assert_close(depth, street)


def test_scale_by_motion_at_other_focal_lengths(street):
    """Two cameras of a vehicle: for the longer focal length the model predicts smaller depth."""
    inputs = inputs_of(street)
    focal = float(inputs['rig'].cam2img[0, 0, 0, 0])
    model = ReadsChannel()
    model.canonical_focal = focal / 2
    model.motion = torch.eye(4)
    model.motion[2, 3] = -2.0 / FACTOR  # in the unit of the true depth, twice the canonical one
    inputs['imgs'] = inputs['imgs'] * 2
    before = replace(inputs['rig'], ego2global=torch.eye(4).double()[None].clone())
    before.ego2global[0, 0, 3] = -2.0
    adjacent = [dict(imgs=inputs['imgs'], rig=before)]
    depth, _ = PseudoDepth(model, 'motion')(dict(inputs, adjacent=adjacent))
    torch.testing.assert_close(depth, street, rtol=1e-4, atol=0)


def test_motion_in_mean_depths_is_rejected():
    model = ReadsChannel()
    model.pose_net = PoseCNN()
    with pytest.raises(ConfigError, match='PoseCNN'):
        PseudoDepth(model, 'motion')
    model.pose_net = None
    with pytest.raises(ConfigError, match="got none; use another scale.*'none'"):
        PseudoDepth(model, 'motion')


def test_missing_inputs_are_named(street):
    for scale, name in (('lidar', 'LoadLidarDepth'), ('motion', 'num_adj=1')):
        with pytest.raises(KeyError, match=name):
            PseudoDepth(ReadsChannel(), scale)(inputs_of(street))
    with pytest.raises(KeyError, match='neighbour_tolerance expected adjacent'):
        PseudoDepth(ReadsChannel(), neighbour_tolerance=0.1)(inputs_of(street))
    with pytest.raises(ConfigError, match="'radar'"):
        PseudoDepth(ReadsChannel(), 'radar')


@pytest.fixture(scope='module')
def depth_model(tmp_path_factory):
    """Config and checkpoint of a tiny model that was trained at 128x64."""
    folder = tmp_path_factory.mktemp('depth_model')
    resize = dict(type='ResizeFrames', size=(128, 64))
    cfg = Config(
        dict(
            model=dict(CONV, min_depth=2.0, max_depth=20.0),
            custom_imports=dict(imports=['hybrid_depth.modules']),
            test_dataloader=dict(dataset=dict(pipeline=[resize])),
        )
    )
    cfg.dump(folder / 'tiny.py')
    torch.manual_seed(0)
    torch.save(dict(state_dict=build_model(cfg).state_dict()), folder / 'tiny.pth')
    return folder / 'tiny.py', folder / 'tiny.pth'


@pytest.fixture(scope='module')
def infos(toy_nuscenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp('infos')
    create_nuscenes_infos(toy_nuscenes, 'v1.0-mini', folder)
    return folder / 'nuscenes_infos_train.pkl'


def test_cache_by_command_line(depth_model, infos, toy_nuscenes, tmp_path, capsys):
    out = tmp_path / 'cache'
    arguments = (*depth_model, '--infos', infos, '--root', toy_nuscenes, '--out', out)
    arguments += ('--scale', 'none', '--mirror-tolerance', '0.5')
    assert run_tool('make_pseudo_depth.py', *arguments) is None
    assert '12 images' in capsys.readouterr().out
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
    expected, _ = source(dict(imgs=sample['inputs']['img'][None], rig=rig))
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


def toy_detector(supervision: list) -> BEVDet:
    cfg = Config.fromfile(ROOT / 'configs/toy/bevdet_depth_toy.py')
    cfg.model.img_view_transformer.depth_net.depth_supervision = supervision
    return build_model(cfg)


def test_online_pseudo_depth_needs_trained_weights(depth_model):
    with pytest.raises(ConfigError, match='random weights'):
        OnlinePseudoDepthHook(str(depth_model[0]), None, image_size=(64, 128))


def test_online(depth_model):
    model = toy_detector([dict(type='PseudoDepthTarget')])
    keys = set(model.state_dict())
    hook = OnlinePseudoDepthHook(
        *map(str, depth_model), image_size=(64, 128), scale='none', mirror_tolerance=9
    )
    hub = MessageHub('test_online')
    runner = SimpleNamespace(model=model, message_hub=hub)
    hook.before_train(runner)
    hook.after_train_iter(runner, 0)
    assert not hub.log_scalars  # not used yet
    assert set(model.state_dict()) == keys  # the depth model is not part of the detector
    net = model.img_view_transformer.depth_net
    logits = torch.zeros(2, net.bins.num, 4, 8, requires_grad=True)
    rig = forward_rig()
    rig = CameraRig(
        *(x.expand(1, 2, *x.shape[2:]) if x.dim() == 4 else x for x in vars(rig).values())
    )
    inputs = dict(imgs=torch.rand(1, 2, 3, 64, 128), rig=rig)
    (target,) = net.depth_targets
    target.loss(logits, inputs, net.bins).backward()
    assert logits.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in hook.view.source.model.parameters())
    hook.after_train_iter(runner, 0)
    assert hub.get_scalar('train/pseudo_depth_known').current() == hook.view.known > 0.9
    with pytest.raises(ConfigError, match='PseudoDepthTarget'):
        hook.before_train(SimpleNamespace(model=toy_detector([])))
