"""Adjacent frames: alignment, enabling, required inputs."""

from dataclasses import replace

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from hybrid_depth.bev.depth_nets.base import DepthDistribution
from hybrid_depth.bev.detectors.bevdet import BEVDet
from hybrid_depth.bev.hooks.depth_first import DepthFirstHook
from hybrid_depth.bev.hooks.sequential_control import SequentialControlHook
from hybrid_depth.bev.parts import Frame
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.geometry import CameraRig, invert_rigid
from tests.bev.hooks.test_depth_first import Runner
from tests.bev.toy import training_keyframe
from tests.conftest import ROOT

IMAGE = (96, 256)
CELL = (6, 20)  # of 12 x 32: the cell with features
METRES = 20.0


class OnePoint(torch.nn.Module):
    """Depth net with features in one cell, at one depth; records the rigs that it is given."""

    def __init__(self, bins) -> None:
        super().__init__()
        self.bins, self.rigs = bins, []

    def forward(self, image_feats, images, rig) -> DepthDistribution:
        self.rigs.append(rig)
        m, _, h, w = image_feats.shape
        logits = torch.full((m, self.bins.num, h, w), -100.0)
        logits[:, self.bins.index(torch.tensor(METRES))] = 100.0
        context = torch.zeros(m, 32, h, w)
        context[:, :, CELL[0], CELL[1]] = 1
        return DepthDistribution(logits, context)


PRE_PROCESS = dict(
    type='CustomResNet', in_channels=32, channels=(32,), num_blocks=(1,), strides=(1,)
)


def toy_model(name: str = 'bevdet4d_toy', **options) -> BEVDet:
    cfg = Config.fromfile(ROOT / f'configs/toy/{name}.py')
    cfg.merge_from_dict(dict(model=dict(temporal=dict(type='AdjacentFrames', **options))))
    cfg.model.img_bev_encoder_backbone.in_channels = 2 * 32
    return build_model(cfg).eval()


def fused(model: BEVDet, inputs: dict) -> torch.Tensor:
    """(B, 2 * C, Y, X) maps of key frame and earlier frame."""
    bev, _ = model.lift(Frame.of(inputs, None))
    return model.temporal(bev, inputs, None, model.lift)


def pose(x: float, y: float, yaw: float) -> torch.Tensor:
    cos, sin = torch.tensor(yaw).cos(), torch.tensor(yaw).sin()
    matrix = torch.eye(4, dtype=torch.float64)
    matrix[:2, :2] = torch.tensor([[cos, -sin], [sin, cos]])
    matrix[:2, 3] = torch.tensor([x, y])
    return matrix


def rig_at(ego2global: torch.Tensor, bda: torch.Tensor) -> CameraRig:
    """One camera 1.5 m above the ground facing ego x."""
    cam2ego = torch.tensor([[0.0, 0, 1, 1], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]]).double()
    cam2img = torch.tensor([[200.0, 0, 128], [0, 200, 48], [0, 0, 1]]).double()
    eye = torch.eye(3).double()
    return CameraRig(
        cam2img[None, None], cam2ego[None, None], eye[None, None], bda[None], ego2global[None]
    )


def peak(bev: torch.Tensor, grid) -> torch.Tensor:
    """(2,) x, y of the map's strongest cell, metres."""
    row, column = divmod(int(bev[0, 0].argmax()), bev.shape[-1])
    return torch.tensor([grid.x[0] + (column + 0.5) * 1.28, grid.y[0] + (row + 0.5) * 1.28])


@pytest.mark.parametrize('align', ['lift', 'bev'])
@torch.no_grad()
def test_an_earlier_point_is_mapped_to_the_current_ego_frame(align):
    model = toy_model(align=align)
    transformer = model.img_view_transformer
    transformer.depth_net = OnePoint(transformer.bins)
    bda = torch.diag(torch.tensor([1.0, -1, 1, 1])).double() @ pose(0, 0, 0.2)
    key, before = rig_at(pose(430, 990, 1.2), bda), rig_at(pose(426, 985, 0.9), bda)
    images = torch.zeros(1, 1, 3, *IMAGE)
    inputs = dict(imgs=images, rig=key, adjacent=[dict(imgs=images, rig=before)])
    maps = fused(model, inputs)

    u, v = ((torch.tensor([CELL[1], CELL[0]]) + 0.5) * 8 - 0.5).double()
    point = torch.stack(((u - 128) / 200 * METRES, (v - 48) / 200 * METRES, METRES + 0 * u, u**0))
    in_key = bda @ before.cam2ego[0, 0] @ point
    assert (peak(maps[:, :32], transformer.grid) - in_key[:2]).abs().max() < 1.28
    moved = bda @ invert_rigid(key.ego2global[0]) @ before.ego2global[0]
    in_now = moved @ before.cam2ego[0, 0] @ point
    assert (in_now - in_key)[:2].abs().max() > 3
    # the bin's centre is up to half a bin off, a warped map is blurred over the next cell too
    assert (peak(maps[:, 32:], transformer.grid) - in_now[:2]).abs().max() < 1.28
    # only the lift sees the cameras where they were
    assert all(rig.same_geometry(key) for rig in transformer.depth_net.rigs)


@pytest.fixture(scope='module')
def batch(toy_nuscenes, tmp_path_factory) -> dict:
    """Second keyframe of a toy scene, as the data set gives it, collated."""
    folder = tmp_path_factory.mktemp('infos')
    return pseudo_collate([training_keyframe('bevdet4d_toy', toy_nuscenes, folder, 1)])


def test_training_step_on_toy_data(batch):
    model = toy_model(pre_process_net=PRE_PROCESS).train()
    data = model.data_preprocessor(batch, True)
    (frame,) = data['inputs']['adjacent']
    assert frame['imgs'].shape == data['inputs']['imgs'].shape
    assert not torch.equal(frame['rig'].ego2global, data['inputs']['rig'].ego2global)
    assert torch.equal(frame['rig'].img_aug, data['inputs']['rig'].img_aug)
    losses = model.loss(data['inputs'], data['data_samples'])
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    for part in (model.pre_process_net, model.img_backbone, model.pts_bbox_head):
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())


@torch.no_grad()
def test_earlier_frames_are_enabled_later(batch):
    model, hook = toy_model(), SequentialControlHook(start_epoch=2)
    inputs = model.data_preprocessor(batch)['inputs']
    with_frames = fused(model, inputs)
    hook.before_train_epoch(Runner(model, 1))
    without = fused(model, inputs)
    assert torch.equal(without[:, :32], with_frames[:, :32])
    assert without[:, 32:].abs().sum() == 0 < with_frames[:, 32:].abs().sum()
    hook.before_train_epoch(Runner(model, 2))
    assert torch.equal(fused(model, inputs), with_frames)


@torch.no_grad()
def test_zeros_of_disabled_frames_are_not_cached(batch):
    model = toy_model()
    freeze, enable = DepthFirstHook(1, keep_lifts=True), SequentialControlHook(start_epoch=3)
    data = model.data_preprocessor(batch)
    maps = []
    for epoch in (2, 3, 4):
        for hook in (freeze, enable):
            hook.prepare(model, epoch)
        frame = Frame.of(data['inputs'], data['data_samples'])
        bev, _ = model.lift(frame)
        maps.append(model.temporal(bev, data['inputs'], data['data_samples'], model.lift)[:, 32:])
    assert maps[0].abs().sum() == 0 < maps[1].abs().sum()
    assert torch.equal(maps[1], maps[2])
    model.img_view_transformer.forward = None  # both frames are cached
    model.temporal(bev, data['inputs'], data['data_samples'], model.lift)


def test_pre_processing_is_trained_with_a_frozen_lift(batch):
    model, hook = toy_model(pre_process_net=PRE_PROCESS), DepthFirstHook(1, keep_lifts=True)
    data = model.data_preprocessor(batch)
    hook.prepare(model, 1)
    losses = model.loss(data['inputs'], data['data_samples'])
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    assert any(p.grad.abs().sum() > 0 for p in model.pre_process_net.parameters())
    assert all(p.grad is None for p in model.img_backbone.parameters())


def test_refined_key_frame_and_earlier_frames(batch):
    """FB-BEV with the earlier frame of BEVDet4D: refined map first, then the earlier map."""
    model = toy_model('fbbev_hybrid_toy', pre_process_net=PRE_PROCESS)
    assert {'backward_projection', 'foreground_proposal', 'pre_process_net'} <= {
        name.split('.')[0] for name in model.state_dict()
    }
    seen = []
    model.img_bev_encoder_backbone.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    data = model.data_preprocessor(batch)
    frame = Frame.of(data['inputs'], data['data_samples'])
    with torch.no_grad():
        bev, distribution = model.lift(frame)
        boxes = [sample.gt_instances_3d.bboxes_3d for sample in data['data_samples']]
        refined, _ = model.refine(bev, distribution, frame.rig, boxes)
        bev_and_earlier = model.temporal(bev, data['inputs'], data['data_samples'], model.lift)
        first = model.pre_process_net(refined)[0]
    losses = model.loss(data['inputs'], data['data_samples'])
    assert {'loss_mask_ce', 'task0.loss_heatmap', 'loss_depth_lidar'} <= set(losses)
    torch.testing.assert_close(seen[0][:, :32], first)
    torch.testing.assert_close(seen[0][:, 32:], bev_and_earlier[:, 32:])
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    for part in ('pre_process_net', 'backward_projection', 'foreground_proposal'):
        parameters = getattr(model, part).parameters()
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in parameters), part


@torch.no_grad()
def test_a_repeated_key_frame_gives_an_equal_map(batch):
    model = toy_model()
    inputs = model.data_preprocessor(batch)['inputs']
    inputs['adjacent'] = [dict(imgs=inputs['imgs'], rig=replace(inputs['rig']))]
    maps = fused(model, inputs)
    torch.testing.assert_close(maps[:, 32:], maps[:, :32])


def test_hook_without_temporal_part():
    model = toy_model()
    model.temporal = None
    SequentialControlHook().prepare(model, 0)
    assert model.temporal is None


def test_bad_input(batch):
    model = toy_model()
    inputs = model.data_preprocessor(batch)['inputs']
    del inputs['adjacent']
    with pytest.raises(ValueError, match='num_adj=1 of NuScenesBEVDataset'):
        fused(model, inputs)
    with pytest.raises(ValueError, match="one of .'lift', 'bev'."):
        toy_model(align='after')
