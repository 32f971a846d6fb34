"""The official frame interpolation (docs/reference/golden.md, "Mono-ViFI")."""

import pytest
import torch

from hybrid_depth.depth.interpolation import FrameInterpolation, IFRNet
from hybrid_depth.geometry.flow import warp_by_flow
from hybrid_depth.losses.interpolation import census_distance, charbonnier
from tests.golden import recipe
from tests.golden.mono_vifi import flow, frames, image, load, sizes
from tests.golden.reader import Golden

GOLDEN = Golden('mono_vifi_vfi')
SIZE, SMALL = sizes(GOLDEN)
HIGH = (1, 320, 1024)
LIMIT, FLOW_LIMIT, GRADIENT_NORM_LIMIT, GRADIENT_LIMIT = 1e-4, 1e-3, 5e-3, 2e-2
KINDS = ('small', 'large')


def check_flows(prefix, found):
    GOLDEN.check(f'{prefix}.flow0', found.flow_first, FLOW_LIMIT)
    GOLDEN.check(f'{prefix}.flow1', found.flow_second, FLOW_LIMIT)
    GOLDEN.check(f'{prefix}.mask', found.mask, FLOW_LIMIT)


@pytest.mark.parametrize('kind', KINDS)
def test_official_keys(kind):
    expected = recipe.shapes('mono_vifi_keys')[f'VFI {kind}']
    found = {key: list(value.shape) for key, value in IFRNet(kind).state_dict().items()}
    assert found == expected


@pytest.mark.parametrize('kind', KINDS)
def test_flows_and_image(kind):
    net, images = load(IFRNet(kind), f'VFI_{kind}'), frames('frames', SIZE)
    with torch.no_grad():
        found = net(images[-1], images[1])
        check_flows(kind, found)
        GOLDEN.check(f'{kind}.middle', found.image, LIMIT)
        assert GOLDEN[f'{kind}.only_flow_same'].all()  # flows are those without the image
        GOLDEN.check(f'{kind}.quarter', net(images[-1], images[1], time=0.25).image, LIMIT)


def test_the_rule_of_large_images():
    net, images = load(IFRNet('small', (192, 320)), 'VFI_small'), frames('high', HIGH)
    with torch.no_grad():
        check_flows('small.320x1024', net(images[-1], images[1]))


@pytest.mark.parametrize('kind', ['small', pytest.param('large', marks=pytest.mark.slow)])
def test_training_step(kind):
    model = FrameInterpolation(dict(type='IFRNet', size=kind))
    load(model.net, f'VFI_{kind}')
    images = frames('small', SMALL)
    found = model.net(images[-1], images[1])
    GOLDEN.check(f'{kind}.train.middle', found.image, LIMIT)
    losses = model.train()(dict(images=images), mode='loss')
    GOLDEN.check(f'{kind}.train.l1_loss', losses['loss_charbonnier'].view(1), LIMIT)
    GOLDEN.check(f'{kind}.train.tr_loss', losses['loss_census'].view(1), LIMIT)
    GOLDEN.check(f'{kind}.train.gc_loss', 100 * torch.stack(losses['loss_geometry']), LIMIT)
    total = model.parse_losses(losses)[0]
    GOLDEN.check(f'{kind}.train.loss', total, LIMIT)
    total.backward()
    parameters = dict(model.net.named_parameters())
    norm = torch.stack([p.grad.double().norm() for p in parameters.values()]).norm()
    GOLDEN.check(f'{kind}.train.gradnorm', norm, GRADIENT_NORM_LIMIT)
    for name in GOLDEN.names(f'{kind}.train.grad.*'):
        gradient = parameters[name.removeprefix(f'{kind}.train.grad.')].grad
        GOLDEN.check(name, gradient, GRADIENT_LIMIT)
        norm = gradient.double().norm()
        GOLDEN.check(name.replace('.grad.', '.gradnorm.'), norm, GRADIENT_NORM_LIMIT)


def test_warp_and_losses():
    shape = (2, 3, 20, 60)
    first, second = image('warp', shape), image('warp2', shape)
    GOLDEN.check('warp', warp_by_flow(first, flow('warp.flow', (2, 20, 60))), LIMIT)
    GOLDEN.check('ternary', census_distance(grey(first), grey(second), 7), LIMIT)
    GOLDEN.check('geometry', census_distance(first, second, 3), LIMIT)
    GOLDEN.check('charbonnier', charbonnier(first, second), LIMIT)


def grey(images):
    return images.mean(1, keepdim=True)
