"""Conversion of releases: strict, with named mismatches and equal weights (tiny models)."""

import pytest
import torch
from mmengine.config import Config

from hybrid_depth.apis import init_depth_model
from hybrid_depth.checkpoints import UnsafeCheckpointError, load_checkpoint_file
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError
from hybrid_depth.foundation import build_clip
from hybrid_depth.releases.conversion import ReleaseError
from hybrid_depth.releases.convert import convert_checkpoint
from hybrid_depth.releases.depth import convert_hybrid_stage2
from hybrid_depth.releases.report import conversion_report
from tests.checkpoints.test_safe_load import RunsCode
from tests.depth.encoders.tiny import TINY_CLIP, TINY_HYBRID
from tests.depth.estimators.tiny import DPT
from tests.golden.monodepth2 import RELEASE
from tests.releases.official_files import (
    hybrid_stage2_files,
    monodepth2_files,
    save_folder,
    stage1_checkpoint,
)

STAGE2 = dict(
    type='Monodepth2',
    encoder=TINY_HYBRID,
    decoder=DPT,
    pose_net=dict(type='ResNetPoseNet', depth=18),
)
STAGE1 = dict(type='LanguageAlignment', encoder=dict(TINY_HYBRID, text=dict()))


@pytest.fixture
def tiny_config(tmp_path):
    """Writes a config; returns its path and a model with random weights."""

    def write(model):
        cfg = Config(dict(model=model, custom_imports=dict(imports=['hybrid_depth.modules'])))
        cfg.dump(tmp_path / 'tiny.py')
        return tmp_path / 'tiny.py', build_model(cfg)

    return write


def assert_same(state, other):
    assert state.keys() == other.keys()
    assert all(torch.equal(value, other[key]) for key, value in state.items())


@pytest.fixture(scope='module')
def monodepth2(tmp_path_factory):
    """The released folder of the golden recipe, converted; (folder, checkpoint, conversion)."""
    folder = save_folder(tmp_path_factory.mktemp('release') / 'mono_640x192', monodepth2_files())
    torch.save(dict(state={}), folder / 'adam.pth')
    out = folder.parent / 'out' / 'mono.pth'
    return folder, out, convert_checkpoint('monodepth2', folder, out)


def test_monodepth2_keeps_every_tensor_except_the_classifiers(monodepth2):
    folder, out, conversion = monodepth2
    checkpoint = load_checkpoint_file(out)
    state, meta = checkpoint['state_dict'], checkpoint['meta']
    official = {
        name: load_checkpoint_file(folder / name) for name in meta['converted_from']['sha256']
    }
    assert len(official) == 4 and not conversion.overrides and not conversion.derived
    assert torch.equal(
        state['encoder.encoder.layer1.0.conv1.weight'],
        official['encoder.pth']['encoder.layer1.0.conv1.weight'],
    )
    assert sum(len(file) for file in official.values()) == len(state) + len(conversion.dropped)
    assert {key.rpartition('.')[0] for key in conversion.dropped if '.fc' in key} == {
        'encoder.pth:encoder.fc',
        'pose_encoder.pth:encoder.fc',
    }
    assert tuple(meta['image_size']) == (RELEASE['height'], RELEASE['width'])
    assert meta['converted_from']['kind'] == 'monodepth2'
    assert [len(digest) for digest in meta['converted_from']['sha256'].values()] == [64] * 4


def test_a_mismatched_config_error_names_the_matching_one(monodepth2):
    with pytest.raises(CheckpointMismatchError, match='of configs/_base_/models/monodepth2_r18.py'):
        init_depth_model(Config(dict(model=STAGE2)), monodepth2[1])


def test_the_report_lists_all_entries(monodepth2):
    text = conversion_report(monodepth2[2])
    for message in (
        'kept: ',
        'pose_encoder.pth:encoder.fc.weight',
        'the classifier is not used',
        'encoder.pth:height',
        'derived: 0',
        "not read: adam.pth, the optimiser's state",
        'fits configs/_base_/models/monodepth2_r18.py',
    ):
        assert message in text, text


R50 = 'option: {}.pth with num_layers 50'
POSE = 'option: pose.pth of pose_model_type {}'


@pytest.mark.parametrize(
    ('parts', 'overrides'),
    [
        (
            dict(encoder=R50.format('encoder'), depth=R50.format('depth')),
            {'model.encoder.depth': 50},
        ),
        (
            dict(pose_encoder=None, pose=POSE.format('posecnn')),
            {'model.pose_net': dict(_delete_=True, type='PoseCNN')},
        ),
        (
            dict(pose_encoder=None, pose=POSE.format('shared')),
            {'model.pose_net': dict(_delete_=True, type='SharedPoseNet', in_channels=512)},
        ),
        (
            dict(pose_encoder=None, pose=None),
            {'model.pose_net': None, 'model.sources': ('s',)},
        ),
    ],
    ids=['resnet50', 'posecnn', 'shared', 'stereo'],
)
def test_other_nets_of_monodepth2_are_recognised(tmp_path, parts, overrides):
    folder = save_folder(tmp_path / 'release', monodepth2_files(draw=False, **parts))
    conversion = convert_checkpoint('monodepth2', folder, tmp_path / 'out.pth')
    assert conversion.overrides == overrides


def test_stage_2_weights_are_equal_after_conversion(tiny_config, tmp_path):
    config, model = tiny_config(STAGE2)
    folder = save_folder(tmp_path / 'stage2', hybrid_stage2_files(model.state_dict(), (70, 98)))
    out = tmp_path / 'out.pth'
    conversion = convert_checkpoint('hybrid-depth-stage2', folder, out, config)
    checkpoint = load_checkpoint_file(out)
    assert_same(checkpoint['state_dict'], model.state_dict())
    assert tuple(checkpoint['meta']['image_size']) == (70, 98)
    assert list(conversion.derived) == ['encoder.language.prompts.tokens']
    assert 'encoder.pth:clip.logit_scale' in conversion.dropped
    assert 'depth.pth:depth_head.projects.4.weight' in conversion.dropped
    assert conversion.overrides == {}  # the given config matches; the shipped one would need
    assert convert_hybrid_stage2(folder).overrides == {'model.encoder.text.num_tokens': 8}


@torch.no_grad()
def test_disparity_is_equal_without_the_text_tower(tiny_config, tmp_path):
    config, model = tiny_config(STAGE2)
    folder = save_folder(tmp_path / 'stage2', hybrid_stage2_files(model.state_dict(), (70, 98)))
    out = tmp_path / 'out.pth'
    conversion = convert_checkpoint(
        'hybrid-depth-stage2', folder, out, config, drop_text_tower=True
    )
    assert list(conversion.derived) == ['encoder.language.matrix']
    assert not any('tower' in key for key in conversion.state_dict)
    small = build_model(Config.fromfile(config))
    small.load_state_dict(load_checkpoint_file(out)['state_dict'])
    images = torch.rand(1, 3, 70, 98)
    expected = model.eval().disparity(images)
    assert expected.std() > 0
    assert torch.equal(small.eval().disparity(images), expected)


def test_stage_1_weights_are_equal_after_conversion(tiny_config, tmp_path):
    config, model = tiny_config(STAGE1)
    path, out = tmp_path / 'stage1.ckpt', tmp_path / 'out.pth'
    torch.save(stage1_checkpoint(model.state_dict(), dict(lr=3.57e-4)), path)
    conversion = convert_checkpoint('hybrid-depth-stage1', path, out, config)
    assert_same(load_checkpoint_file(out)['state_dict'], model.state_dict())
    assert 'model.depth_head.scratch.output_conv.0.weight' in conversion.dropped
    assert conversion.dropped['hyper_parameters'] == 'of the training run'


def test_stage_1_initialises_stage_2(tiny_config, tmp_path):
    """mmengine's `load_from` is not strict: new parts of stage 2 keep their initial values."""
    config, model = tiny_config(STAGE1)
    path, out = tmp_path / 'stage1.ckpt', tmp_path / 'out.pth'
    torch.save(stage1_checkpoint(model.state_dict(), {}), path)
    convert_checkpoint('hybrid-depth-stage1', path, out, config)
    stage2 = build_model(dict(model=STAGE2))
    found = stage2.load_state_dict(load_checkpoint_file(out)['state_dict'], strict=False)
    assert not found.unexpected_keys
    added = {key.split('.')[0] for key in found.missing_keys} - {'encoder'}
    assert added == {'decoder', 'pose_net'}
    missing = [key for key in found.missing_keys if key.startswith('encoder')]
    assert missing == ['encoder.language.prompts.tokens']


def test_comparison_with_stock_weights(tiny_config, tmp_path):
    """Trained parts as in the release, except that one text block changed too."""
    config, model = tiny_config(STAGE2)
    state = model.state_dict()
    clip = build_clip('', None, TINY_CLIP['model_cfg'])
    for key, value in clip.state_dict().items():
        key = key if key.startswith('visual.') else f'language.{key}'
        key = key.replace('visual.', 'clip.visual.').replace('language.', 'language.tower.')
        if f'encoder.{key}' in state:
            state[f'encoder.{key}'] = value.clone()
    stock = {k.removeprefix('encoder.dino.vit.'): v for k, v in state.items() if '.vit.' in k}
    torch.save(clip.state_dict(), tmp_path / 'clip.pth')
    torch.save(stock, tmp_path / 'dino.pth')
    block = 'encoder.language.tower.transformer.resblocks.1.mlp.c_fc.bias'
    for key in (block, 'encoder.clip.visual.conv1.weight', 'encoder.dino.vit.blocks.3.norm1.bias'):
        state[key] = state[key] + 0.5
    folder = save_folder(tmp_path / 'stage2', hybrid_stage2_files(state, (70, 98)))
    conversion = convert_checkpoint(
        'hybrid-depth-stage2',
        folder,
        tmp_path / 'out.pth',
        config,
        stock_clip=str(tmp_path / 'clip.pth'),
        stock_dino=str(tmp_path / 'dino.pth'),
    )
    image, text, others, dino, last = conversion.notes
    assert 'trained in the release: as expected' in image and 'clip.visual.conv1.weight' in image
    assert f'(largest difference 0.5, first {block})' in text
    assert 'frozen in the release: NOT as expected' in text
    assert 'trained in the release: NOT as expected' in others
    assert 'frozen in the release: as expected' in dino and '(' not in dino
    assert 'trained in the release: as expected' in last


def test_stock_weights_of_another_kind(tiny_config, tmp_path):
    """OpenAI's RN50.pt, a likely mistake, is a TorchScript program."""
    config, model = tiny_config(STAGE2)
    folder = save_folder(tmp_path / 'stage2', hybrid_stage2_files(model.state_dict(), (70, 98)))
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / 'RN50.pt')
    torch.save(dict(a=torch.zeros(1)), tmp_path / 'other.pth')
    arguments = ('hybrid-depth-stage2', folder, tmp_path / 'out.pth', config)
    with pytest.raises(ReleaseError, match='(?s)RN50.pt.*use the tag openai'):
        convert_checkpoint(*arguments, stock_clip=str(tmp_path / 'RN50.pt'))
    with pytest.raises(ReleaseError, match='(?s)other.pth.*dinov2_vitb14_pretrain.pth'):
        convert_checkpoint(*arguments, stock_dino=str(tmp_path / 'other.pth'))
    with pytest.raises(FileNotFoundError, match='absent.pth'):
        convert_checkpoint(*arguments, stock_dino='absent.pth')
    with pytest.raises(ReleaseError, match='not monodepth2'):
        convert_checkpoint('monodepth2', folder, 'a', stock_dino='a')
    with pytest.raises(ReleaseError, match='hybrid-depth-stage2 only'):
        convert_checkpoint('bevdet', folder, 'a', drop_text_tower=True)
    assert not (tmp_path / 'out.pth').exists()


@pytest.mark.parametrize(
    ('kind', 'error', 'says'),
    [
        ('hybrid-depth-stage2', ReleaseError, 'got 0 tokens'),
        ('hybrid-depth-stage1', ReleaseError, 'state_dict: expected tensors'),
        ('bevdet', ReleaseError, 'expected BEVDet'),
    ],
)
def test_a_release_of_another_kind_is_rejected(monodepth2, tmp_path, kind, error, says):
    folder = monodepth2[0]
    source = folder if kind == 'hybrid-depth-stage2' else folder / 'pose.pth'
    with pytest.raises(error, match=says):
        convert_checkpoint(kind, source, tmp_path / 'out.pth')
    assert not (tmp_path / 'out.pth').exists()


def test_monodepth2_rejects_a_hybrid_folder(tiny_config, tmp_path):
    _, model = tiny_config(STAGE2)
    folder = save_folder(tmp_path / 'stage2', hybrid_stage2_files(model.state_dict(), (70, 98)))
    with pytest.raises(ReleaseError, match='the kind is hybrid-depth-stage2'):
        convert_checkpoint('monodepth2', folder, tmp_path / 'out.pth')


def test_strict(tmp_path):
    """One key more, one less, one of another shape: each is named, and nothing is written."""
    files = monodepth2_files(draw=False)
    files['depth.pth']['decoder.99.conv.weight'] = torch.zeros(1)
    del files['pose.pth']['net.1.bias']
    files['encoder.pth']['encoder.conv1.weight'] = torch.zeros(64, 4, 7, 7)
    folder = save_folder(tmp_path / 'release', files)
    with pytest.raises(CheckpointMismatchError) as caught:
        convert_checkpoint('monodepth2', folder, tmp_path / 'out.pth')
    for message in ('decoder.99.conv.weight', 'net.1.bias', '64, 4, 7, 7', str(folder)):
        assert message in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ['release']


def test_missing_files_are_named(monodepth2, tmp_path):
    with pytest.raises(FileNotFoundError, match='no such folder'):
        convert_checkpoint('monodepth2', tmp_path / 'absent', tmp_path / 'out.pth')
    archive = tmp_path / 'mono.zip'
    archive.write_bytes(b'PK')
    with pytest.raises(FileNotFoundError, match='unpack it first'):
        convert_checkpoint('monodepth2', archive, tmp_path / 'out.pth')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='encoder.pth and depth.pth'):
        convert_checkpoint('monodepth2', tmp_path / 'empty', tmp_path / 'out.pth')
    with pytest.raises(FileNotFoundError, match='absent.py'):
        out = tmp_path / 'out.pth'
        convert_checkpoint('monodepth2', monodepth2[0], out, tmp_path / 'absent.py')


def test_a_malicious_file_in_a_folder_does_not_run(tmp_path):
    files = monodepth2_files(draw=False)
    files['pose.pth']['net'] = RunsCode((tmp_path / 'ran').touch)
    folder = save_folder(tmp_path / 'release', files)
    with pytest.raises(UnsafeCheckpointError, match='pose.pth'):
        convert_checkpoint('monodepth2', folder, tmp_path / 'out.pth')
    assert not (tmp_path / 'ran').exists()
