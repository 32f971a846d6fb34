import pytest
import torch
import torchvision
from mmengine.registry import MODELS

from hybrid_depth.checkpoints.weights import CheckpointMismatchError
from hybrid_depth.depth.encoders import ResNetDepthEncoder
from hybrid_depth.depth.encoders.resnet import build_resnet
from tests.golden.monodepth2 import SIZE, SMALL, frames, load, official_keys
from tests.golden.reader import Golden

NETS = Golden('monodepth2_nets')
LIMIT = 1e-4


@torch.no_grad()
@pytest.mark.parametrize(
    ('depth', 'name', 'module', 'size'),
    [(18, 'r18', 'encoder', SIZE), (50, 'r50', 'encoder50', SMALL)],
)
def test_golden_maps(depth, name, module, size):
    encoder = load(ResNetDepthEncoder(depth), module)
    features = encoder(frames(size)[0])
    for i, feature in enumerate(features.maps):
        NETS.check(f'{name}.feat{i}', feature, LIMIT)
        assert feature.shape[1] == encoder.out_channels[i]
        assert feature.shape[2] == -(-size[1] // encoder.out_strides[i])


@torch.no_grad()
def test_golden_in_training_mode():
    encoder = load(ResNetDepthEncoder(18), 'encoder').train()
    for name in ('running_mean', 'running_var'):
        # Statistics before the pass are stored; those after it are checked in the training steps.
        NETS.check(f'r18.train.{name}', getattr(encoder.encoder.bn1, name), 0)
    NETS.check('r18.train.feat4', encoder(frames(SIZE)[0]).maps[-1], LIMIT)
    assert encoder.encoder.bn1.num_batches_tracked == 1


@pytest.mark.parametrize(
    ('depth', 'part'), [(18, 'encoder.pth'), (50, 'option: encoder.pth with num_layers 50')]
)
def test_keys_are_official_without_the_classifier(depth, part):
    official = {k: s for k, s in official_keys(part).items() if not k.startswith('encoder.fc.')}
    ours = ResNetDepthEncoder(depth).state_dict()
    assert {key: list(value.shape) for key, value in ours.items()} == official


def test_every_parameter_gets_a_gradient():
    encoder = MODELS.build(dict(type='ResNetDepthEncoder', depth=18))
    sum(m.sum() for m in encoder(torch.rand(2, 3, 64, 96)).maps).backward()
    assert all(p.grad is not None for p in encoder.parameters())


def test_weights_from_a_file_and_for_several_images(tmp_path):
    reference = torchvision.models.resnet18()
    path = tmp_path / 'mine.pth'
    torch.save(reference.state_dict(), path)
    single, double = (build_resnet(18, str(path), count) for count in (1, 2))
    assert torch.equal(single.layer4[1].conv2.weight, reference.layer4[1].conv2.weight)
    image = torch.rand(1, 3, 32, 32)
    expected = reference.conv1(image)
    assert torch.allclose(double.conv1(torch.cat([image] * 2, dim=1)), expected, atol=1e-5)
    assert not any(key.startswith('fc.') for key in single.state_dict())


def test_a_mismatched_file(tmp_path):
    path = tmp_path / 'other.pth'
    torch.save({'conv1.weight': torch.zeros(1)}, path)
    with pytest.raises(CheckpointMismatchError, match=r'conv1.weight: \[1\] instead of'):
        build_resnet(18, str(path))


@pytest.mark.parametrize('arguments', [(19, None), (18, 'magic')])
def test_unknown_depth_or_weights(arguments):
    with pytest.raises(ValueError, match='expected'):
        build_resnet(*arguments)
