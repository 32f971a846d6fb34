"""Backward projection: attended cameras and pixels, and refined cells."""

import pytest
import torch

from hybrid_depth.bev.parts import BEVSpace
from hybrid_depth.bev.refine.backward_projection import BackwardProjection
from hybrid_depth.geometry import CameraRig, DepthBins, VoxelGrid, project_pillars

IMAGE_SIZE = (64, 128)
GRID = VoxelGrid(x=(0.0, 20.0, 1.0), y=(-5.0, 5.0, 1.0), z=(-1.0, 3.0, 4.0))
BINS = DepthBins(start=1.0, stop=31.0, step=1.0)
CHANNELS = 8
SPACE = BEVSpace(GRID, BINS, IMAGE_SIZE, CHANNELS)
ROWS, COLUMNS = 8, 16  # feature cells of 8 x 8 pixels


def rig_of(*yaws: float) -> CameraRig:
    """Cameras at the ego origin, one metre above ground, rotated to the left, radians."""
    cam2ego = torch.eye(4, dtype=torch.float64).repeat(len(yaws), 1, 1)
    for matrix, yaw in zip(cam2ego, torch.tensor(yaws, dtype=torch.float64), strict=True):
        forward = torch.stack((yaw.cos(), yaw.sin(), yaw * 0))
        right = torch.stack((yaw.sin(), -yaw.cos(), yaw * 0))
        matrix[:3, :3] = torch.stack((right, torch.tensor([0.0, 0, -1]).to(yaw), forward), 1)
        matrix[2, 3] = 1.0
    cam2img = torch.tensor([[80.0, 0, 63.5], [0, 80, 31.5], [0, 0, 1]]).double()
    eye = torch.eye(4).double()
    return CameraRig(
        cam2img.expand(1, len(yaws), 3, 3),
        cam2ego[None],
        torch.eye(3).double().expand(1, len(yaws), 3, 3),
        eye[None],
        eye[None],
    )


def module(**options) -> BackwardProjection:
    settings = dict(anchor_heights=(-1.0, 3.0, 1.0), num_heads=2, self_points=2, cross_points=4)
    settings.update(options)
    return BackwardProjection(SPACE, **settings).eval()


def inputs(cameras: int, batch: int = 1) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random BEV map, context and depth distribution."""
    bev = torch.randn(batch, CHANNELS, 10, 20)
    context = torch.randn(batch, cameras, CHANNELS, ROWS, COLUMNS)
    prob = (3 * torch.randn(batch, cameras, 30, ROWS, COLUMNS)).softmax(2)
    return bev, context, prob


def certain(depth: torch.Tensor) -> torch.Tensor:
    """(N, h, w) metres -> (1, N, D, h, w) with all probability in one bin."""
    return BINS.one_hot(depth)[None]


CUDA = pytest.param(
    'cuda', marks=pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
)


@pytest.mark.parametrize('device', ['cpu', CUDA])
def test_depth_changes_the_output_and_devices_are_equal(device):
    net, rig = module(), rig_of(0.0)
    bev, context, prob = inputs(1)
    here = net(bev, context, prob, rig)
    there = net(bev, context, prob.flip(2), rig)
    assert (here - there).abs().max() > 1e-3
    blind = module(consistency='none')
    blind.load_state_dict(net.state_dict())
    torch.testing.assert_close(
        blind(bev, context, prob, rig), blind(bev, context, prob.flip(2), rig)
    )
    moved = [tensor.to(device) for tensor in (bev, context, prob)]
    found = net.to(device)(*moved, rig.to(device)).cpu()
    torch.testing.assert_close(found, here, rtol=1e-4, atol=1e-5)


def test_anchors_are_projected_in_full_precision_under_autocast():
    pillars, rig = module().pillars, rig_of(0.0, 0.5).to(torch.float32)
    expected = project_pillars(pillars, rig, IMAGE_SIZE)
    with torch.autocast('cpu', torch.bfloat16):
        found = project_pillars(pillars, rig, IMAGE_SIZE)
    assert torch.equal(found.uv, expected.uv) and torch.equal(found.depth, expected.depth)


def test_correct_depth_gives_all_attention_to_the_correct_pixel():
    """Two cameras see a post 10.5 m ahead and 0.5 m to the left, at the centre of a feature cell
    and of a depth bin, up to 0.2 pixels. One has its depth right; before the other is a wall."""
    net = module()
    for layer in net.layers:  # attend to the anchors themselves
        torch.nn.init.zeros_(layer.attentions[1].deformable_attention.sampling_offsets.bias)
    rig = rig_of(0.0, 0.0)
    cell, anchor = (5, 10), 1  # y 0.5, x 10.5; z 0.5 of -0.5, 0.5, 1.5, 2.5
    u, v, z = rig.ego2img()[0, 0] @ torch.tensor([10.5, 0.5, 0.5, 1.0]).double()
    row, column = int((v / z + 0.5) // 8), int((u / z + 0.5) // 8)
    depth = torch.full((2, ROWS, COLUMNS), 30.5)
    depth[0, row, column] = z
    depth[1] = 1.5

    everywhere = torch.arange(200)[None]
    nothing = torch.zeros(1, 2, CHANNELS, ROWS, COLUMNS)
    values = net._camera_values(nothing, certain(depth), rig, everywhere)
    weight = values.weight.unflatten(2, (10, 20))[0]
    assert weight[(0, *cell, anchor)] > 0.9
    assert weight[(0, *cell, anchor)] > 0.9 * weight[:, cell[0], cell[1]].sum()
    assert weight[1, cell[0], cell[1]].max() < 1e-6  # occluded by the wall

    bev, context, _ = inputs(2)
    context.requires_grad_()
    refined = net(bev, context, certain(depth), rig)
    # not a sum of channels, which the last layer norm makes constant
    (grad,) = torch.autograd.grad(refined[0, 0, cell[0], cell[1]], context)
    reached = grad[0].abs().sum(1)
    assert reached[0, row, column] == reached.max() > 0
    near = torch.zeros_like(reached, dtype=torch.bool)
    near[0, row - 1 : row + 2, column - 1 : column + 2] = True
    # independent of neighbouring cells, as the self-attention comes first
    assert reached[~near].max() < 1e-6
    wrong = certain(depth.clone().fill_(30.5))
    (grad,) = torch.autograd.grad(
        net(bev, context, wrong, rig)[0, 0, cell[0], cell[1]], context, allow_unused=True
    )
    assert grad.abs().max() < 1e-6


@pytest.mark.parametrize('num_layers', [1, 2])
def test_cells_that_are_not_kept_do_not_change(num_layers):
    net = module(num_layers=num_layers)
    bev, context, prob = inputs(2, batch=3)
    rig = rig_of(0.0, 0.5)
    rig = CameraRig.collate([{k: v[0] for k, v in vars(rig).items()}] * 3)
    kept = torch.rand(3, 10, 20) > torch.tensor([0.2, 0.9, 1.1]).view(3, 1, 1)
    refined = net(bev, context, prob, rig, kept)
    outside = refined.masked_select(~kept.unsqueeze(1))
    assert outside.abs().max() == 0 and refined[0].abs().max() > 0 and refined[2].abs().max() == 0
    for index in range(3):  # padding by other samples has no effect
        alone = net(
            bev[index : index + 1],
            context[index : index + 1],
            prob[index : index + 1],
            rig.sample(index),
            kept[index : index + 1],
        )
        torch.testing.assert_close(refined[index : index + 1], alone, rtol=1e-4, atol=1e-5)
    if num_layers == 1:  # one layer uses the input map, whatever is kept
        whole = net(bev, context, prob, rig) * kept.unsqueeze(1)
        torch.testing.assert_close(refined, whole, rtol=1e-4, atol=1e-5)


def test_training_without_kept_cells():
    net = module().train()
    bev, context, prob = inputs(1)
    none = torch.zeros(1, 10, 20, dtype=torch.bool)
    refined = net(bev.requires_grad_(), context, prob, rig_of(0.0), none)
    refined.sum().backward()
    assert bev.grad.abs().max() == 0
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in net.parameters())


def test_reference_points_are_cell_centres():
    """Positions in the map, 0 to 1 from edge to edge, equal those of the pillars."""
    net, cells = module(), torch.arange(200)[None]
    xy = net.pillars[:, 0, :2]  # metres
    expected = (xy - torch.tensor([0.0, -5.0])) / torch.tensor([20.0, 10.0])
    torch.testing.assert_close(net._reference_points(cells)[0, :, 0], expected)


def test_cameras_are_averaged():
    """Two equal cameras give the output of one."""
    net = module()
    bev, context, prob = inputs(1)
    alone = net(bev, context, prob, rig_of(0.0))
    twins = net(bev, context.repeat(1, 2, 1, 1, 1), prob.repeat(1, 2, 1, 1, 1), rig_of(0.0, 0.0))
    torch.testing.assert_close(twins, alone, rtol=1e-4, atol=1e-5)
    assert (alone - net(bev, 0 * context, prob, rig_of(0.0))).abs().max() > 1e-3


def test_depth_gets_a_gradient_from_the_attention():
    net = module()
    bev, context, prob = inputs(1)
    net(bev, context, prob.requires_grad_(), rig_of(0.0)).square().sum().backward()
    assert prob.grad.abs().max() > 0


def test_bad_settings():
    with pytest.raises(ValueError, match='consistency must be one of'):
        module(consistency='soft')
    with pytest.raises(ValueError, match='multiple of the 4 anchors'):
        module(cross_points=6)
    bev, context, prob = inputs(1)
    with pytest.raises(ValueError, match=r'expected a BEV map .* \(8, 10, 20\)'):
        module()(bev[..., :-1], context, prob, rig_of(0.0))
