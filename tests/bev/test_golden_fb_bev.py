"""Parity with the published FB-OCC code, part by part (docs/reference/golden.md, "FB-BEV")."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from mmdet3d.registry import MODELS
from mmengine.config import Config
from PIL import Image

from hybrid_depth.bev.depth_nets.camera_aware import CameraAwareDepthNet, camera_vector
from hybrid_depth.bev.depth_nets.supervision import block_minimum_depth
from hybrid_depth.bev.refine.backward_projection import BackwardProjection
from hybrid_depth.bev.refine.deformable_attention import DeformableAttention
from hybrid_depth.bev.refine.foreground_proposal import ForegroundProposal
from hybrid_depth.bev.temporal.history_fusion import HistoryFusion, Moment
from hybrid_depth.bev.transforms.lidar_depth import LoadLidarDepth
from hybrid_depth.geometry import (
    DepthBins,
    PillarView,
    VoxelGrid,
    create_frustum,
    depth_at,
    lift_frustum,
    project_pillars,
)
from hybrid_depth.geometry.bev_warp import warp_volume
from hybrid_depth.losses import depth_distribution_loss
from hybrid_depth.ops import PoolingPlan, bev_pool
from tests.bev.test_golden_bevdet import real_images
from tests.conftest import ROOT
from tests.datasets.roots import keyframe_dataset
from tests.golden import weights
from tests.golden.bevdet import Golden, feature
from tests.golden.fb_bev import CHANNELS, DEPTH_BINS, GRID, IMAGE_SIZE, fb_golden, fb_rig

LIMIT = 1e-5  # the note's
PREFIX = 'backward_projection.'
LAYERS = 'transformer.encoder.'  # where the published code keeps the layers
ANCHOR_HEIGHTS = (-1.0, 5.4, 1.6)


def load_recipe(module: torch.nn.Module, prefix: str) -> torch.nn.Module:
    """Weights by the published names."""
    module.load_state_dict(
        {
            key: torch.from_numpy(
                np.asarray(
                    weights.tensor(
                        prefix + (LAYERS + key if key.startswith('layers.') else key),
                        tuple(value.shape),
                    )
                )
            )
            for key, value in module.state_dict().items()
        }
    )
    module.eval()  # mmdet's ResNet returns nothing here
    return module


def published_rig(view: str):
    """The published code divides pixel numbers by the picture's size; ours know that a pixel's
    centre is half a pixel on. So this rig moves its pictures by that half."""
    rig = fb_rig(view)
    img_aug = rig.img_aug.clone()
    img_aug[..., :2, 2] -= 0.5
    return replace(rig, img_aug=img_aug)


@pytest.fixture(scope='module')
def backward_projection() -> BackwardProjection:
    module = BackwardProjection(
        GRID,
        ANCHOR_HEIGHTS,
        DEPTH_BINS,
        IMAGE_SIZE,
        CHANNELS,
        consistency='one_hot',
    )
    return load_recipe(module, PREFIX)


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_anchors_are_seen_where_the_published_code_sees_them(view, backward_projection):
    golden = fb_golden('backward')
    pillars = backward_projection.pillars
    plane = pillars.view(100, 100, 4, 3)
    torch.testing.assert_close(plane[0, :, 0, 0], golden['anchors_x'])
    torch.testing.assert_close(plane[:, 0, 0, 1], golden['anchors_y'])
    torch.testing.assert_close(plane[0, 0, :, 2], golden['anchors_z'])

    seen = project_pillars(pillars, published_rig(view), IMAGE_SIZE)
    uv = (seen.uv * seen.hit.unsqueeze(-1)).transpose(0, 1)
    assert golden.error(f'{view}.uv', uv) < LIMIT
    assert golden.error(f'{view}.z', seen.depth.transpose(0, 1).unsqueeze(-1)) < LIMIT
    bits = np.unpackbits(golden.arrays[f'{view}.hit'])[: seen.hit.numel()].reshape(6, 10000, 4)
    assert (bits != seen.hit[0].numpy()).sum() <= 4  # a few on the edge of a picture may flip


def attention_inputs():
    golden = fb_golden('backward')
    prefix = f'{PREFIX}{LAYERS}layers.0.attentions.1.deformable_attention.'
    module = load_recipe(DeformableAttention(80, 8, 8, num_anchors=4, project=False), prefix)
    query, value = feature('da_query', (2, 40, 80)), feature('da_value', (2, 704, 80))
    return golden, module, query.requires_grad_(), value.requires_grad_()


def test_attention_without_depth():
    golden, module, query, value = attention_inputs()
    out = module(query, value, golden['attention.reference_points'], (16, 44))
    assert golden.error('attention.out_without_depth', out) < LIMIT


def test_attention_with_depth_and_its_gradients():
    golden, module, query, value = attention_inputs()
    prob = (3 * feature('da_depth', (2, 704, 80))).softmax(2).requires_grad_()
    uv, depth = golden['attention.reference_points'], golden['attention.anchor_depth']
    bins = DepthBins(**DEPTH_BINS)
    position = torch.bucketize(depth, bins.edges[1:-1], right=True).float()
    # two samples of one camera
    view = PillarView(uv.unsqueeze(1), depth.unsqueeze(1), torch.ones_like(depth)[:, None].bool())
    volume = prob.transpose(1, 2).view(2, 1, 80, 16, 44)
    weight = depth_at(view, volume, position.unsqueeze(1))[:, 0]
    out = module(query, value, uv, (16, 44), weight)
    assert golden.error('attention.out', out) < LIMIT
    grads = torch.autograd.grad(out, (query, value, prob), feature('da_grad', (2, 40, 80)))
    for name, grad in zip(('query', 'value', 'dist'), grads, strict=True):
        assert golden.error(f'attention.grad.{name}', grad) < LIMIT


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_backward_projection_of_all_cells(view, backward_projection):
    golden = fb_golden('backward')
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
    assert set(stages) == {'self', 'cross', 'bev'}
    for name, value in stages.items():
        assert golden.error(f'{view}.all.{name}', value) < LIMIT


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_masked_cells_as_published(view, backward_projection):
    """Our parts, put together with the oddities of the published code: all cells are refined, the
    self-attention does not see those that are kept, the cross-attention is theirs alone, but a
    camera without any looks at the first cell that it sees."""
    golden = fb_golden('backward')
    kept = torch.from_numpy(np.unpackbits(golden.arrays['bev_mask'])[None, :10000]).bool()
    module, cells = backward_projection, torch.arange(10000)[None]
    prob = (3 * feature('fb_depth', (1, 6, 80, 16, 44))).softmax(2)
    context = feature('fb_context', (1, 6, 80, 16, 44))
    rig = published_rig(view)
    evidence = module._evidence(context, prob, rig, cells, kept)
    seen, visible = evidence.seen.clone(), project_pillars(module.pillars, rig, IMAGE_SIZE).hit
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
            module._places(cells),
            replace(evidence, seen=seen),
        )
    for hook in hooks:
        hook.remove()
    stages['bev'] = refined.transpose(1, 2).unflatten(2, module.size)
    for name, value in stages.items():
        assert golden.error(f'{view}.masked.{name}', value) < LIMIT, name


def test_foreground_proposal_and_its_losses():
    golden = fb_golden('frpn')
    proposal = load_recipe(ForegroundProposal(80), 'frpn.')
    logits = proposal(feature('frpn_bev', (2, 80, 128, 128)))
    assert golden.error('logit', logits) < LIMIT
    assert proposal.kept(logits).sum((1, 2)).tolist() == golden['kept'].tolist()

    given = (3 * feature('frpn_logit', (2, 1, 128, 128)) - 2).requires_grad_()
    truth = torch.from_numpy(np.unpackbits(golden.arrays['gt'])).view(2, 128, 128).bool()
    losses = proposal.loss(given, truth)
    for ours, published in (('ce', 'mask_ce_loss'), ('dice', 'mask_dice_loss')):
        torch.testing.assert_close(
            losses[f'loss_mask_{ours}'].detach(), golden[f'loss.{published}'], rtol=LIMIT, atol=0
        )
    losses['loss_mask_ce'].backward()
    assert golden.error('grad.mask_ce_loss', given.grad) < LIMIT


def test_history():
    golden = fb_golden('history')
    grid = dict(x=(-40.0, 40.0, 3.2), y=(-32.0, 32.0, 3.2), z=(-1.0, 5.4, 1.6))
    fusion = HistoryFusion(grid, 8, 3)
    # the golden run has 12 channels out; ours has as many as in
    fusion.cat_conv = torch.nn.Sequential(
        torch.nn.Conv3d(32, 12, 1), torch.nn.BatchNorm3d(12), torch.nn.ReLU()
    )
    for part in ('time_conv', 'cat_conv'):
        load_recipe(getattr(fusion, part), f'history_keyframe_{part}.')
    maps = augmented = ages = None
    for step in range(3):
        volume = feature(f'history.{step}', (2, 8, 20, 25, 4)).permute(0, 1, 4, 2, 3)
        start, bda = golden[f'{step}.start'], torch.eye(4).repeat(2, 1, 1)
        bda[:, :3, :3] = golden[f'{step}.bda']
        own = volume.unsqueeze(1).expand(-1, 3, -1, -1, -1, -1)
        if step == 0:
            maps, augmented, ages = own, bda, torch.zeros(2, 3)
        maps = torch.where(start.view(2, 1, 1, 1, 1, 1), own, maps)
        augmented = torch.where(start.view(2, 1, 1), bda, augmented)
        ages = torch.where(start.view(2, 1), 0.0, ages + 0.5)
        # the published code warps at the start of a sequence too, by the motion it is given
        to_past = augmented @ golden[f'{step}.curr_to_prev'] @ torch.linalg.inv(bda)
        warped = warp_volume(maps.flatten(1, 2), to_past, VoxelGrid(**grid), 'corners')
        frames = torch.cat((volume.unsqueeze(1), warped.view_as(maps)), 1)
        with torch.no_grad():
            fused = fusion.eval().fuse(frames, torch.cat((torch.zeros(2, 1), ages), 1))
        assert golden.error(f'{step}.out', fused.permute(0, 1, 3, 4, 2)) < LIMIT
        maps, augmented = frames[:, :-1], bda
        assert golden.error(f'{step}.history', maps.flatten(1, 2)) < LIMIT
        ages = torch.cat((torch.zeros(2, 1), ages[:, :-1]), 1)
        assert (2 * ages).tolist() == golden[f'{step}.sweep_time'].tolist()


VIEWS = ('test', 'aug')


def depth_net() -> CameraAwareDepthNet:
    bins = DepthBins(**DEPTH_BINS)
    net = load_recipe(CameraAwareDepthNet(256, CHANNELS, bins, 512, 512), 'depth_net.')
    golden = fb_golden('depth')
    net.bn.running_mean.copy_(golden['override.running_mean'])
    net.bn.running_var.copy_(golden['override.running_var'])
    return net


@pytest.mark.parametrize('view', VIEWS)
def test_depth_net(view):
    golden, rig = fb_golden('depth'), fb_rig(view)
    assert golden.error(f'{view}.camera_vector', camera_vector(rig)[None]) < LIMIT
    with torch.no_grad():
        distribution = depth_net()(feature('stride16', (1, 6, 256, 16, 44))[0], None, rig)
    assert golden.error(f'{view}.context', distribution.context[None]) < LIMIT
    assert golden.error(f'{view}.depth', distribution.prob[None]) < LIMIT


@pytest.mark.parametrize('view', VIEWS)
def test_forward_projection(view):
    golden, rig = fb_golden('forward'), fb_rig(view)
    bins, grid = DepthBins(**DEPTH_BINS), VoxelGrid(**GRID)
    points = lift_frustum(create_frustum(bins.values, (16, 44), IMAGE_SIZE, 'corners'), rig)
    assert golden.error(f'{view}.coor', points) < LIMIT
    prob = (3 * feature('fb_depth', (1, 6, 80, 16, 44))).softmax(2)
    context = feature('fb_context', (1, 6, 80, 16, 44))
    bev = bev_pool(prob, context, PoolingPlan.from_points(points, grid), 'sparse')
    volume = bev.unflatten(1, (8, CHANNELS)).permute(0, 2, 3, 4, 1)
    assert golden.error(f'{view}.volume', volume) < LIMIT


@pytest.mark.parametrize('view', VIEWS)
def test_depth_loss(view):
    golden = fb_golden('depth')
    bins = DepthBins(**DEPTH_BINS)
    index = golden[f'{view}.bins'].long()
    depth = torch.where(index >= 0, bins.centres[index.clamp(min=0)], 0.0)
    loss = depth_distribution_loss(
        3 * feature('fb_depth', (1, 6, 80, 16, 44))[0], bins.one_hot(depth), 'bce'
    )
    torch.testing.assert_close(loss, golden[f'{view}.loss'], rtol=LIMIT, atol=0)


@pytest.mark.parametrize('view', VIEWS)
def test_depth_target_of_the_real_sweep(view, real_data, tmp_path):
    golden, ida = fb_golden('depth'), Golden('ida')
    info = keyframe_dataset(real_data, tmp_path).get_data_info(0)
    info['img'] = [Image.new('RGB', IMAGE_SIZE[::-1])] * 6
    info['img_aug'][:, :2, :2] = ida[f'{view}.post_rot'][:, :2, :2]
    info['img_aug'][:, :2, 2] = ida[f'{view}.post_tran'][:, :2]
    depth = torch.from_numpy(LoadLidarDepth(depth_range=(2.0, 42.0))(info)['gt_depth'])
    # float64 here, float32 there: a point may change its pixel
    count, total = (depth > 0).sum((1, 2)), depth.sum((1, 2), dtype=torch.float64)
    assert (count - golden[f'{view}.gt_count']).abs().max() <= 2
    torch.testing.assert_close(total, golden[f'{view}.gt_sum'], rtol=2e-4, atol=0)
    index = DepthBins(**DEPTH_BINS).index(block_minimum_depth(depth, (16, 44)))
    assert (index != golden[f'{view}.bins']).sum() <= 4


@pytest.mark.slow
def test_whole_chain_on_real_images(real_data):
    """FB-OCC-R50 up to its history, two frames, sixteen past ones; its occupancy head is not ours.

    Its second frame sees the same images in another augmentation, from another place.
    """
    golden = fb_golden('fbocc')
    cfg = Config.fromfile(ROOT / 'configs/_base_/models/bevdet_r50.py').model
    cfg.img_backbone.update(with_cp=False, init_cfg=None)
    backbone = load_recipe(MODELS.build(cfg.img_backbone), 'img_backbone.')
    neck = load_recipe(MODELS.build(cfg.img_neck), 'img_neck.')
    net, bins, grid = depth_net(), DepthBins(**DEPTH_BINS), VoxelGrid(**GRID)
    refine = load_recipe(
        BackwardProjection(
            GRID, ANCHOR_HEIGHTS, DEPTH_BINS, IMAGE_SIZE, CHANNELS, consistency='one_hot'
        ),
        PREFIX,
    )
    history = HistoryFusion(GRID, CHANNELS, 16, warp_align='corners').eval()
    for part in ('time_conv', 'cat_conv'):
        load_recipe(getattr(history, part), f'history_keyframe_{part}.')
    frustum = create_frustum(bins.values, (16, 44), IMAGE_SIZE, 'corners')
    pose = torch.eye(4)
    for index, (name, view) in enumerate((('first', 'test'), ('second', 'aug'))):
        pose = pose @ golden['curr_to_prev'] if index else pose
        still = dict(bda=torch.eye(4)[None], ego2global=pose[None])
        rig, shifted = replace(fb_rig(view), **still), replace(published_rig(view), **still)
        with torch.no_grad():
            features = neck(backbone(real_images(real_data, view)[0]))
            distribution = net(features, None, rig)
            prob, context = distribution.prob[None], distribution.context[None]
            plan = PoolingPlan.from_points(lift_frustum(frustum, rig), grid)
            bev = bev_pool(prob, context, plan, 'sparse')
            volume = bev.unflatten(1, (8, CHANNELS)).transpose(1, 2)
            refined = refine(volume.mean(2), context, prob, shifted)
            fused = history(volume + refined.unsqueeze(2), [Moment('a', index, 0.5 * index)], rig)
        stages = dict(context=context, depth=prob, refined=refined)
        stages.update(volume=volume.permute(0, 1, 3, 4, 2), fused=fused.permute(0, 1, 3, 4, 2))
        for stage, value in stages.items():
            # the whole chain rounds more than its parts: 7e-6 measured
            assert golden.error(f'{name}.{stage}', value) < 2e-5, (name, stage)
