import pytest
import torch
from mmengine.registry import MODELS

from hybrid_depth.releases.hybrid_encoder_keys import DROPPED
from hybrid_depth.releases.monodepth2_keys import (
    convert_hybrid_folder,
    convert_monodepth2_folder,
    convert_stage1_keys,
)
from tests.depth.estimators.golden_model import R18
from tests.golden.monodepth2 import official_keys
from tests.releases.official_encoder import official_shapes

FOLDER = ('encoder.pth', 'depth.pth', 'pose_encoder.pth', 'pose.pth')


def folder(files):
    return {
        name: {key: torch.empty(shape) for key, shape in official_keys(part).items()}
        for name, part in files.items()
    }


@pytest.mark.parametrize(
    ('pose', 'pose_net'),
    [
        ({name: name for name in FOLDER[2:]}, R18['pose_net']),
        ({'pose.pth': 'option: pose.pth of pose_model_type shared'}, dict(type='SharedPoseNet')),
        ({'pose.pth': 'option: pose.pth of pose_model_type posecnn'}, dict(type='PoseCNN')),
        ({}, None),
    ],
    ids=['separate', 'shared', 'cnn', 'stereo'],
)
def test_released_folders_load_strictly(pose, pose_net):
    official = folder({**{name: name for name in FOLDER[:2]}, **pose})
    official['encoder.pth'] |= dict(height=192, width=640, use_stereo=False)
    state, dropped = convert_monodepth2_folder(official)
    sources = (-1, 1) if pose_net else ('s',)
    MODELS.build({**R18, 'pose_net': pose_net, 'sources': sources}).load_state_dict(state)
    classifiers = [f'{name}:encoder.fc.{leaf}' for name in official for leaf in ('weight', 'bias')]
    assert set(dropped) - set(classifiers) == {
        'encoder.pth:height',
        'encoder.pth:width',
        'encoder.pth:use_stereo',
    }
    assert len(state) + len(dropped) == sum(map(len, official.values()))


@pytest.mark.parametrize('names', [('encoder.pth',), ('encoder.pth', 'depth.pth', 'mono.pth')])
def test_folders_of_another_kind(names):
    with pytest.raises(KeyError, match='depth.pth'):
        convert_monodepth2_folder({name: {} for name in names})


def test_every_key_of_a_hybrid_folder_is_used_or_dropped_with_a_reason():
    official = {
        file: {key: torch.empty(s, device='meta') for key, s in official_shapes(part).items()}
        for file, part in ((file, f'stage2/{file}') for file in FOLDER)
    }
    assert [len(official[file]) for file in FOLDER] == [926, 66, 122, 8]
    converted, dropped = convert_hybrid_folder(official)
    # The 256 learned tokens become one tensor.
    assert len(converted) - 1 + 256 + len(dropped) == sum(map(len, official.values()))
    starts = ('encoder.', 'decoder.', 'pose_net.encoder.', 'pose_net.decoder.')
    assert all(key.startswith(starts) for key in converted)
    assert 'encoder.pth:clip.logit_scale' in dropped and DROPPED['clip.logit_scale']


def test_every_key_of_stage_1_is_used_or_dropped_with_a_reason():
    shapes = official_shapes('stage1.ckpt[state_dict]')
    official = {key: torch.empty(shape, device='meta') for key, shape in shapes.items()}
    converted, dropped = convert_stage1_keys(official)
    assert len(official) == 742 == len(converted) + len(dropped)
    assert all(key.startswith('encoder.') for key in converted)
    assert sum(key.startswith('model.depth_head.') for key in dropped) == 72
    with pytest.raises(KeyError, match='optimizer'):
        convert_stage1_keys({**official, 'optimizer': torch.zeros(1)})
