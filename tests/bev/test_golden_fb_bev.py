"""Parity with the published FB-OCC code, part by part (docs/reference/golden.md, "FB-BEV")."""

import math
from dataclasses import replace

import pytest
import torch

from hybrid_depth.bev.depth_nets.camera_aware import camera_vector
from hybrid_depth.bev.refine.backward_projection import BackwardProjection
from hybrid_depth.bev.refine.deformable_attention import DeformableAttention
from hybrid_depth.bev.refine.foreground_proposal import ForegroundProposal
from hybrid_depth.bev.temporal.history_fusion import HistoryFusion
from hybrid_depth.geometry import (
    PillarView,
    VoxelGrid,
    create_frustum,
    depth_at,
    lift_frustum,
    project_pillars,
)
from hybrid_depth.geometry.bev_warp import volume_sampling_grid, warp_volume
from hybrid_depth.losses import depth_distribution_loss
from hybrid_depth.ops import PoolingPlan, bev_pool
from tests.golden.bevdet import feature, near_border
from tests.golden.fb_bev import (
    ANCHOR_HEIGHTS,
    CHANNELS,
    IMAGE_SIZE,
    LAYERS,
    PREFIX,
    SPACE,
    depth_net,
    fb_rig,
    load_published,
    published_rig,
)
from tests.golden.reader import Golden

BACKWARD, FORWARD, DEPTH, FRPN, HISTORY = (
    Golden(f'fb_bev_{name}') for name in ('backward', 'forward', 'depth', 'frpn', 'history')
)
LIMIT = 1e-5  # the note's
WARP_LIMIT = 2e-5  # white noise, sampled at positions that float32 rounds by 1e-5 cells
VIEWS = ('test', 'aug')


@pytest.fixture(scope='module')
def backward_projection() -> BackwardProjection:
    module = BackwardProjection(SPACE, ANCHOR_HEIGHTS, consistency='one_hot')
    return load_published(module, PREFIX)


@pytest.mark.parametrize('view', VIEWS)
def test_anchors_are_projected_as_in_the_published_code(view, backward_projection):
    pillars = backward_projection.pillars
    plane = pillars.view(100, 100, 4, 3)
    BACKWARD.check('anchors_x', plane[0, :, 0, 0], 1e-6)
    BACKWARD.check('anchors_y', plane[:, 0, 0, 1], 1e-6)
    BACKWARD.check('anchors_z', plane[0, 0, :, 2], 1e-6)

    seen = project_pillars(pillars, published_rig(view), IMAGE_SIZE)
    hit = BACKWARD.bits(f'{view}.hit', (6, 10000, 4))
    on_border, _ = near_edges(seen)
    assert not ((hit != seen.hit[0]) & ~on_border).any()
    hits, free = seen.hit[0].sum((1, 2)), on_border.sum((1, 2))
    BACKWARD.check(f'{view}.hit_count', hits, 1, scale=free)
    # stored as zero without a hit in the published code
    uv = (seen.uv * hit[None, ..., None]).transpose(0, 1)
    BACKWARD.check(f'{view}.uv', uv, LIMIT)
    BACKWARD.check(f'{view}.z', seen.depth.transpose(0, 1).unsqueeze(-1), LIMIT)


def near_edges(seen: PillarView) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, Q, A) anchors that rounding may move over the border of an image, within the limit for
    positions, or into another depth bin, within a tenth of the limit for depths (rounding of the
    largest is 1e-5 m)."""
    uv, depth = seen.uv[0], seen.depth[0]
    on_border = (torch.minimum(uv.abs(), (uv - 1).abs()) < LIMIT).any(-1) & (depth > 0)
    place = (depth - SPACE.bins.start) / SPACE.bins.step
    off = (place - place.round()).abs() * SPACE.bins.step
    return on_border, (off < LIMIT / 10 * depth.abs().max()) & seen.hit[0]


def tipped_cells(pillars: torch.Tensor, view: str) -> torch.Tensor:
    """(10000,) BEV cells with such an anchor, whose cross-attention may differ."""
    on_border, between_bins = near_edges(project_pillars(pillars, published_rig(view), IMAGE_SIZE))
    return (on_border | between_bins).any(-1).any(0)


def check_stages(case: str, stages: dict[str, torch.Tensor], tipped: torch.Tensor) -> None:
    """Check after self-attention, after cross-attention, and at the end; from the second on, cells
    are independent."""
    BACKWARD.check(f'{case}.self', stages['self'], LIMIT)
    cross, bev = stages['cross'], stages['bev']
    BACKWARD.check(f'{case}.cross', cross, LIMIT, free=tipped[:, None].expand(cross.shape))
    BACKWARD.check(f'{case}.bev', bev, LIMIT, free=tipped.view(100, 100).expand(bev.shape))


def attention_inputs():
    prefix = f'{PREFIX}{LAYERS}layers.0.attentions.1.deformable_attention.'
    module = load_published(DeformableAttention(80, 8, 8, num_anchors=4, project=False), prefix)
    query, value = feature('da_query', (2, 40, 80)), feature('da_value', (2, 704, 80))
    return module, query.requires_grad_(), value.requires_grad_()


def test_attention_without_depth():
    module, query, value = attention_inputs()
    out = module(query, value, BACKWARD['attention.reference_points'], (16, 44))
    BACKWARD.check('attention.out_without_depth', out, LIMIT)


def test_attention_with_depth_and_its_gradients():
    module, query, value = attention_inputs()
    prob = (3 * feature('da_depth', (2, 704, 80))).softmax(2).requires_grad_()
    uv, depth = BACKWARD['attention.reference_points'], BACKWARD['attention.anchor_depth']
    bins = SPACE.bins
    position = torch.bucketize(depth, bins.edges[1:-1], right=True).float()
    # two samples of one camera
    view = PillarView(uv.unsqueeze(1), depth.unsqueeze(1), torch.ones_like(depth)[:, None].bool())
    volume = prob.transpose(1, 2).view(2, 1, 80, 16, 44)
    weight = depth_at(view, volume, position.unsqueeze(1))[:, 0]
    out = module(query, value, uv, (16, 44), weight)
    BACKWARD.check('attention.out', out, LIMIT)
    grads = torch.autograd.grad(out, (query, value, prob), feature('da_grad', (2, 40, 80)))
    for name, grad in zip(('query', 'value', 'dist'), grads, strict=True):
        BACKWARD.check(f'attention.grad.{name}', grad, LIMIT)


@pytest.mark.parametrize('view', VIEWS)
def test_backward_projection_of_all_cells(view, backward_projection):
    prob = (3 * feature('fb_depth', (1, 6, 80, 16, 44))).softmax(2)
    context = feature('fb_context', (1, 6, 80, 16, 44))
    stages = {}
    layer = backward_projection.layers[0]
    hooks = [
        layer.norms[i].register_forward_pre_hook(
            lambda _, args, n=name: stages.update({n: args[0]})
        )
        for i, name in enumerate(('self', 'cross'))
    ]
    with torch.no_grad():
        stages['bev'] = backward_projection(
            feature('fb_lss_bev', (1, 80, 100, 100)), context, prob, published_rig(view)
        )
    for hook in hooks:
        hook.remove()
    check_stages(f'{view}.all', stages, tipped_cells(backward_projection.pillars, view))


@pytest.mark.parametrize('view', VIEWS)
def test_masked_cells_as_published(view, backward_projection):
    """Our parts, put together with the oddities of the published code: all cells are refined, the
    self-attention does not see those that are kept, the cross-attention is theirs alone, but a
    camera without any looks at the first cell that it sees."""
    kept = BACKWARD.bits('bev_mask', (1, 10000))
    module, cells = backward_projection, torch.arange(10000)[None]
    prob = (3 * feature('fb_depth', (1, 6, 80, 16, 44))).softmax(2)
    context = feature('fb_context', (1, 6, 80, 16, 44))
    rig = published_rig(view)
    values = module._camera_values(context, prob, rig, cells)
    seen = values.visible & kept.unsqueeze(1)
    visible = project_pillars(module.pillars, rig, IMAGE_SIZE).hit
    for camera in (~seen.any(-1)).nonzero()[:, 1].tolist():
        seen[0, camera, visible[0, camera].any(-1).nonzero()[0]] = True
    layer, stages = module.layers[0], {}
    hooks = [
        layer.norms[i].register_forward_pre_hook(
            lambda _, args, n=name: stages.update({n: args[0]})
        )
        for i, name in enumerate(('self', 'cross'))
    ]
    hooks.append(
        layer.attentions[0].value_proj.register_forward_hook(
            lambda _, args, value: value.masked_fill(kept.unsqueeze(-1), 0)
        )
    )
    plane = feature('fb_lss_bev', (1, 80, 100, 100)).flatten(2).transpose(1, 2)
    plane = plane + module.bev_embedding.weight
    position = module.positional_encoding(torch.zeros(1, 100, 100)).flatten(2).transpose(1, 2)
    with torch.no_grad():
        refined = layer(
            plane,
            position,
            plane,
            module.size,
            module._reference_points(cells),
            replace(values, visible=seen).seen(),
        )
    for hook in hooks:
        hook.remove()
    stages['bev'] = refined.transpose(1, 2).unflatten(2, module.size)
    check_stages(f'{view}.masked', stages, tipped_cells(module.pillars, view))


def test_foreground_proposal_and_its_losses():
    proposal = load_published(ForegroundProposal(80), 'frpn.')
    logits = proposal(feature('frpn_bev', (2, 80, 128, 128)))
    FRPN.check('logit', logits, LIMIT)
    margin = LIMIT * logits.abs().max()
    near = ((logits - math.log(0.4 / 0.6)).abs() < margin).sum((1, 2, 3))
    FRPN.check('kept', proposal.kept(logits).sum((1, 2)), 1, scale=near)

    given = (3 * feature('frpn_logit', (2, 1, 128, 128)) - 2).requires_grad_()
    losses = proposal.loss(given, FRPN.bits('gt', (2, 128, 128)))
    FRPN.check('loss.mask_ce_loss', losses['loss_mask_ce'], LIMIT)
    FRPN.check('loss.mask_dice_loss', losses['loss_mask_dice'], LIMIT)
    losses['loss_mask_ce'].backward()
    FRPN.check('grad.mask_ce_loss', given.grad, LIMIT)


def test_history():
    cells = dict(x=(-40.0, 40.0, 3.2), y=(-32.0, 32.0, 3.2), z=(-1.0, 5.4, 1.6))
    grid = VoxelGrid(**cells)
    fusion = HistoryFusion(grid, 8, 3)
    # the golden run has 12 output channels; here, as many as input channels
    fusion.cat_conv = torch.nn.Sequential(
        torch.nn.Conv3d(32, 12, 1), torch.nn.BatchNorm3d(12), torch.nn.ReLU()
    )
    for part in ('time_conv', 'cat_conv'):
        load_published(getattr(fusion, part), f'history_keyframe_{part}.')
    maps = augmented = ages = None
    for step in range(3):
        volume = feature(f'history.{step}', (2, 8, 20, 25, 4)).permute(0, 1, 4, 2, 3)
        start, bda = HISTORY[f'{step}.start'], torch.eye(4).repeat(2, 1, 1)
        bda[:, :3, :3] = HISTORY[f'{step}.bda']
        current = volume.unsqueeze(1).expand(-1, 3, -1, -1, -1, -1)
        if step == 0:
            maps, augmented, ages = current, bda, torch.zeros(2, 3)
        maps = torch.where(start.view(2, 1, 1, 1, 1, 1), current, maps)
        augmented = torch.where(start.view(2, 1, 1), bda, augmented)
        ages = torch.where(start.view(2, 1), 0.0, ages + 0.5)
        # the published code also warps at the start of a sequence, by the given motion
        to_past = augmented @ HISTORY[f'{step}.curr_to_prev'] @ torch.linalg.inv(bda)
        if f'{step}.grid' in HISTORY:
            places = volume_sampling_grid(to_past, grid, 'corners')
            HISTORY.check(f'{step}.grid', places.permute(0, 2, 3, 1, 4), LIMIT)
        warped = warp_volume(maps.flatten(1, 2), to_past, grid, 'corners')
        frames = torch.cat((volume.unsqueeze(1), warped.view_as(maps)), 1)
        with torch.no_grad():
            fused = fusion.eval().fuse(frames, torch.cat((torch.zeros(2, 1), ages), 1))
        HISTORY.check(f'{step}.out', fused.permute(0, 1, 3, 4, 2), WARP_LIMIT)
        maps, augmented = frames[:, :-1], bda
        HISTORY.check(f'{step}.history', maps.flatten(1, 2), WARP_LIMIT)
        ages = torch.cat((torch.zeros(2, 1), ages[:, :-1]), 1)
        HISTORY.check(f'{step}.sweep_time', 2 * ages, 0)


@pytest.mark.parametrize('view', VIEWS)
def test_depth_net(view):
    rig = fb_rig(view)
    DEPTH.check(f'{view}.camera_vector', camera_vector(rig)[None], LIMIT)
    with torch.no_grad():
        distribution = depth_net()(feature('stride16', (1, 6, 256, 16, 44))[0], None, rig)
    DEPTH.check(f'{view}.context', distribution.context[None], LIMIT)
    DEPTH.check(f'{view}.depth', distribution.prob[None], LIMIT)


@pytest.mark.parametrize('view', VIEWS)
def test_forward_projection(view):
    grid = SPACE.grid
    frustum = create_frustum(SPACE.bins.anchors, (16, 44), IMAGE_SIZE, 'corners')
    points = lift_frustum(frustum, fb_rig(view))
    FORWARD.check(f'{view}.coor', points, LIMIT)
    near, cells = near_border(grid, points)
    plan = PoolingPlan.from_points(points, grid)
    filled = plan.ranks[plan.ranks >= 0]
    counts, free = [len(filled), len(filled.unique())], torch.stack((near.sum(), cells.sum()))
    FORWARD.check(f'{view}.kept_voxels', counts, 1, scale=free)
    prob = (3 * feature('fb_depth', (1, 6, 80, 16, 44))).softmax(2)
    context = feature('fb_context', (1, 6, 80, 16, 44))
    volume = bev_pool(prob, context, plan, 'sparse').unflatten(1, (8, CHANNELS))
    free = cells[:, None].expand(volume.shape)
    layout = (0, 2, 3, 4, 1)  # batch, channels, y, x, z
    FORWARD.check(f'{view}.volume', volume.permute(layout), LIMIT, free=free.permute(layout))


def test_grid():
    grid = SPACE.grid
    FORWARD.check('nx', grid.size, 0)
    FORWARD.check('dx', [axis[2] for axis in (grid.x, grid.y, grid.z)], 1e-6)
    FORWARD.check('bx', grid.centres()[0, 0, 0], 1e-6)


@pytest.mark.parametrize('view', VIEWS)
def test_depth_loss(view):
    bins, index = SPACE.bins, DEPTH[f'{view}.bins'].long()
    depth = torch.where(index >= 0, bins.centres[index.clamp(min=0)], 0.0)
    logits = 3 * feature('fb_depth', (1, 6, 80, 16, 44))[0]
    loss = depth_distribution_loss(logits, bins.one_hot(depth), 'bce')
    DEPTH.check(f'{view}.loss', loss, LIMIT)
