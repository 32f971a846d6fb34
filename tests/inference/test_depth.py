import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from PIL import Image

from hybrid_depth.apis import infer_depth, init_bev_model, init_depth_model, stream_depth
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError
from hybrid_depth.errors import ConfigError
from hybrid_depth.geometry import DepthMap
from hybrid_depth.inference.depth import depth_result
from tests.depth.encoders.tiny import TINY_HYBRID
from tests.depth.estimators.test_manydepth import TINY
from tests.depth.estimators.test_mono_vifi import CFG as MONO_VIFI
from tests.depth.estimators.tiny import CONV, HYBRID
from tests.test_imports import HIDE, python

SIZE = (64, 96)
RESIZE = dict(type='ResizeFrames', size=(SIZE[1], SIZE[0]))


def config(model=CONV, **others):
    return Config(dict(model=model, **others))


@pytest.fixture
def checkpoint(tmp_path):
    model = build_model(config())
    torch.save(dict(state_dict=model.state_dict(), meta=dict(image_size=SIZE)), tmp_path / 'a.pth')
    return tmp_path / 'a.pth', model.eval()


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (70, 110, 3), dtype=np.uint8)


def test_weights_and_training_size_come_from_the_checkpoint(checkpoint):
    path, expected = checkpoint
    model = init_depth_model(config(), path)
    assert not model.training and model.image_size == SIZE
    images = torch.rand(2, 3, *SIZE)
    with torch.no_grad():
        disparity = model.predict({0: images}).values
        # folded BatchNorms round differently
        assert torch.allclose(disparity, expected.predict({0: images}).values, rtol=1e-5)
        pose = model.relative_pose(images[:1], images[1:])
    assert disparity.shape == (2, 1, *SIZE) and pose.shape == (1, 4, 4)


def test_training_size_of_the_config():
    pipeline = [dict(type='LoadFrames'), RESIZE]
    loader = dict(dataset=dict(type='KittiRawDataset', pipeline=pipeline))
    with pytest.warns(UserWarning, match='random weights'):
        model = init_depth_model(config(test_dataloader=loader))
        assert model.image_size == SIZE
        assert init_depth_model(config()).image_size is None
        shipped = init_depth_model('monodepth2/monodepth2_r18_1xb12-20e_kitti-raw_192x640.py')
    assert shipped.image_size == (192, 640)


def test_foundation_weights_are_not_loaded():
    """They would be overwritten, and may not exist."""
    clip, dino = (dict(TINY_HYBRID[t], pretrained='absent.pth') for t in ('clip', 'dino'))
    model = dict(HYBRID, encoder=dict(TINY_HYBRID, clip=clip, dino=dino))
    with pytest.warns(UserWarning, match='random weights'):
        init_depth_model(config(model))
    assert clip['pretrained'] == 'absent.pth'


@torch.no_grad()
def test_disparity_is_resized_to_the_image_size(checkpoint, image):
    model = init_depth_model(config(), checkpoint[0])
    (result,) = infer_depth(model, image)
    resized = Image.fromarray(image).resize((96, 64), Image.Resampling.LANCZOS)
    seen = torch.from_numpy(np.array(resized)).permute(2, 0, 1)[None] / 255
    expected = F.interpolate(model.predict({0: seen}).values, (70, 110), mode='bilinear')[
        0, 0
    ].numpy()
    np.testing.assert_allclose(result.disparity, expected, rtol=1e-6)
    np.testing.assert_array_equal(result.image, image)
    np.testing.assert_allclose(result.depth, 1 / expected, rtol=1e-6)
    assert (result.kind, result.unit, result.name) == ('relative', 'unknown', 'array')


def test_depth_with_a_scale_is_metric(checkpoint, image):
    model = init_depth_model(config(), checkpoint[0])
    (relative,), (metric,) = (infer_depth(model, image, scale=scale) for scale in (None, 5.4))
    assert (metric.kind, metric.unit) == ('metric', 'm')
    np.testing.assert_allclose(metric.depth, 5.4 * relative.depth, rtol=1e-6)


def test_metric_models_need_no_scale(image):
    metres = DepthMap(torch.full((1, 1, 35, 55), 8.0), 'metric')
    result = depth_result('a', image, metres)
    assert (result.kind, result.unit, result.disparity.shape) == ('metric', 'm', (70, 110))
    np.testing.assert_allclose(result.depth, 8)
    with pytest.raises(ValueError, match='depth is metric, got 5.4; omit it'):
        depth_result('a', image, metres, scale=5.4)
    relative = depth_result('a', image, DepthMap(metres.values, 'relative'))
    assert relative.kind == 'relative'
    np.testing.assert_allclose(relative.depth, 8)


def test_results_do_not_depend_on_the_batch_size(checkpoint, image):
    model = init_depth_model(config(), checkpoint[0])
    images = [image, image[:, ::-1], image[:50], image[::-1], image[:64, :64]]
    one, several = (list(stream_depth(model, images, None, None, n)) for n in (1, 3))
    without_size = list(stream_depth(model, images, (70, 110), None, 5))
    assert [r.disparity.shape for r in one] == [p.shape[:2] for p in images]
    for single, batched in zip(one, several, strict=True):
        np.testing.assert_allclose(single.disparity, batched.disparity, rtol=1e-4)
    assert np.abs(without_size[0].disparity - one[0].disparity).max() > 0  # another network size


def test_a_given_size_replaces_the_training_size(checkpoint, image):
    model, seen = init_depth_model(config(), checkpoint[0]), []
    model.encoder.register_forward_pre_hook(lambda _, args: seen.append(tuple(args[0].shape)))
    infer_depth(model, image)
    infer_depth(model, image, size=(48, 128))
    assert seen == [(1, 3, *SIZE), (1, 3, 48, 128)]


def test_image_size_is_used_without_a_training_size(image):
    with pytest.warns(UserWarning):
        model = init_depth_model(config())
    images = [image[:64, :96], image[:64, :64], image[:64, :96]]
    seen = []
    model.encoder.register_forward_pre_hook(lambda _, args: seen.append(tuple(args[0].shape)))
    list(stream_depth(model, images, batch_size=4))
    assert seen == [(1, 3, 64, 96), (1, 3, 64, 64), (1, 3, 64, 96)]


def test_mismatched_weights_are_named(checkpoint, tmp_path):
    state = torch.load(checkpoint[0], weights_only=True)['state_dict']
    state['decoder.strange'] = torch.zeros(1)
    del state['pose_net.pose_conv.bias']
    torch.save(state, tmp_path / 'b.pth')
    with pytest.raises(CheckpointMismatchError) as caught:
        init_depth_model(config(), tmp_path / 'b.pth')
    for message in ('b.pth', 'decoder.strange', 'pose_net.pose_conv.bias'):
        assert message in str(caught.value)


def test_invalid_configs(tmp_path):
    with pytest.raises(FileNotFoundError, match='absent.py'):
        init_depth_model(tmp_path / 'absent.py')
    with pytest.raises(ConfigError, match='expected a config with a model'):
        init_depth_model(Config(dict(a=1)))
    stage1 = dict(type='LanguageAlignment', encoder=dict(TINY_HYBRID, text=dict()))
    with pytest.raises(ConfigError, match='got LanguageAlignment'):
        init_depth_model(config(stage1))
    with pytest.raises(ConfigError, match='got Monodepth2'):
        init_bev_model(config())


def test_depth_apis_need_no_mmdet3d():
    hidden = HIDE.format(names=['mmcv', 'mmdet', 'mmdet3d', 'nuscenes', 'lyft_dataset_sdk'])
    done = python(
        hidden + 'import hybrid_depth.apis\n'
        'from hybrid_depth.inference import depth_writer\n'
        'from hybrid_depth.releases import convert\n'
        'from hybrid_depth.checkpoints.build import build_model\n'
        'from tests.depth.estimators.tiny import CONV\n'
        "build_model(dict(model=CONV, default_scope='mmdet3d'))\n"
    )
    assert done.returncode == 0 and 'WARNING' not in done.stdout, done.stderr


@pytest.fixture
def several():
    """A model of two frames, and five images of a video."""
    with pytest.warns(UserWarning, match='random weights'):
        model = init_depth_model(config(TINY))
    video = np.random.default_rng(0).integers(0, 256, (5, 70, 110, 3), dtype=np.uint8)
    return model, video, np.array([[80.0, 0, 55], [0, 80, 35], [0, 0, 1]])


@pytest.mark.parametrize('batch_size', [1, 2, 3])
def test_models_of_several_frames_get_neighbours_and_the_camera_of_their_size(
    several, batch_size, monkeypatch
):
    model, video, cam2img = several
    seen, predict = [], model.predict
    monkeypatch.setattr(model, 'predict', lambda *args: seen.append(args) or predict(*args))
    with pytest.warns(UserWarning, match='single-frame mode'):
        found = list(stream_depth(model, video, SIZE, batch_size=batch_size, cam2img=cam2img))
    assert [result.frames for result in found] == [(0,), *[(0, -1)] * 4]
    assert max(len(frames[0]) for frames, *_ in seen) == batch_size
    assert torch.equal(seen[1][0][-1][0], seen[0][0][0][0]), 'the frame before is the one before'
    camera = seen[1][1][0]
    assert camera[0, 0] == pytest.approx(80 * SIZE[1] / 110)
    assert camera[1, 2] == pytest.approx(35.5 * SIZE[0] / 70 - 0.5)
    images = torch.from_numpy(video).permute(0, 3, 1, 2).float() / 255
    assert found[2].disparity.shape == images.shape[2:]


def test_frames_can_be_chosen(several):
    model, video, cam2img = several
    with pytest.warns(UserWarning, match='single-frame mode'):
        alone = infer_depth(model, video, SIZE, frames=(0,))
    assert {result.frames for result in alone} == {(0,)}
    with pytest.warns(UserWarning, match='single-frame mode'):
        together = infer_depth(model, video, SIZE, cam2img=cam2img)
    assert np.array_equal(alone[0].disparity, together[0].disparity)
    assert not np.allclose(alone[1].disparity, together[1].disparity)
    with pytest.raises(ConfigError, match=r'expected frames out of \(0, -1\)'):
        infer_depth(model, video, SIZE, frames=(0, 1))
    with pytest.raises(ConfigError, match='expected intrinsics to predict from frames'):
        infer_depth(model, video, SIZE)


@torch.no_grad()
@pytest.mark.parametrize(
    ('cfg', 'encoded'),
    [
        (TINY, 6),  # the first image alone, by another path
        (dict(TINY, lookups=(1,), teacher=dict(TINY['teacher'], sources=(1,))), 6),
        (MONO_VIFI, 7),  # the first and last image alone, by another path
    ],
    ids=['manydepth', 'manydepth-future', 'mono-vifi'],
)
def test_images_of_a_stream_are_encoded_once(cfg, encoded, monkeypatch):
    """With the results that every image gives by itself."""
    with pytest.warns(UserWarning, match='random weights'):
        model = init_depth_model(config(cfg))
    video = np.random.default_rng(0).integers(0, 256, (5, *SIZE, 3), dtype=np.uint8)
    cam2img = np.array([[80.0, 0, 48], [0, 80, 32], [0, 0, 1]])
    images = torch.from_numpy(video).permute(0, 3, 1, 2).float() / 255
    camera, first, calls = torch.tensor(cam2img)[None].float(), next(model.encoder.children()), []
    while list(first.children()):
        first = next(first.children())
    first.register_forward_hook(lambda *_: calls.append(1))
    with pytest.warns(UserWarning, match='single-frame mode'):
        found = infer_depth(model, video, SIZE, cam2img=cam2img)
        assert len(calls) == encoded
        for i, result in enumerate(found):
            frames = {k: images[i + k, None] for k in model.frames if 0 <= i + k < len(video)}
            expected = model.predict(frames, camera).values[0, 0]
            np.testing.assert_array_equal(result.disparity, expected.numpy())
