"""Models on CUDA without a card: torch's fake tensors have a device and no values.

They show tensors left on the CPU, and what would wait for the device: `.item()`, `.cpu()`,
`nonzero`, masks as indices, numpy. Backward passes do not run on fake CUDA tensors.
"""

import dataclasses
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from mmdet3d.structures import Det3DDataSample, LiDARInstance3DBoxes
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)

import hybrid_depth.modules  # noqa: F401  registers the models
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.geometry import cost_volume
from hybrid_depth.geometry.camera_rig import CameraRig
from tests.bev.toy import training_keyframe
from tests.configs.shipped import NAMES, read

SIZE = (64, 128)
TOYS = [name for name in NAMES if name.startswith('configs/toy/') and name.count('/') == 2]
#: Stage 1 finds its patches on the host; FrameInterpolation has no depth.
OTHERS = {name for name in TOYS if 'stage1' in name or 'ifrnet' in name}
#: Where models wait for the device once a step, and why; what is behind is not checked here.
WAITS = {
    'plane_sweep': 'views that are left out cost nothing',
    'BackwardProjection.forward': 'the number of refined cells is the size of all that follows',
}
WAITING = {
    name: place
    for name in NAMES
    for place, word in (('plane_sweep', 'manydepth'), ('BackwardProjection.forward', 'fbbev'))
    if word in name
}


def is_detector(name: str) -> bool:
    return 'pts_bbox_head' in read(name).model


DETECTORS = [name for name in TOYS if is_detector(name)]
LARGE = [name for name in NAMES if not name.startswith('configs/toy/') and is_detector(name)]
#: A large one that is checked in the quick tests too.
CHEAP = 'configs/bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py'
DEPTH = [name for name in TOYS if name not in DETECTORS and name not in OTHERS]


@pytest.fixture(autouse=True)
def _no_value_checks(monkeypatch):
    """Of ManyDepth's poses: indices made from NaN would read anywhere."""
    monkeypatch.setattr(cost_volume, '_require_finite', lambda *_: None)


@pytest.fixture(autouse=True)
def _as_with_a_card(monkeypatch):
    """Where torch finds no card, it only warns and leaves CUDA's autocast off."""
    monkeypatch.setattr(torch.cuda.amp.common, 'amp_definitely_not_available', lambda: False)
    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda: True)


@contextmanager
def waiting_only_where_listed(name: str, mode: FakeTensorMode | None = None):
    """The block, in the fake mode; it must end in the listed wait if the config has one."""
    place = WAITING.get(name)
    with mode or FakeTensorMode():
        if place is None:
            yield
            return
        with pytest.raises((DataDependentOutputException, DynamicOutputShapeException)) as caught:
            yield
    names = [entry.name for entry in caught.traceback if 'hybrid_depth' in str(entry.path)]
    assert names[-1] == place.rpartition('.')[2]


def on_cuda(values):
    """Fake CUDA tensors of the shapes, types and strides of these; inside the mode."""
    if isinstance(values, dict):
        return {key: on_cuda(value) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return type(values)(map(on_cuda, values))
    if isinstance(values, CameraRig):
        fields = {f.name: on_cuda(getattr(values, f.name)) for f in dataclasses.fields(values)}
        return CameraRig(**fields)
    if not isinstance(values, Tensor):
        return values
    return torch.empty_strided(values.shape, values.stride(), dtype=values.dtype, device='cuda')


def move(model: nn.Module, memory_format: torch.memory_format = torch.preserve_format) -> nn.Module:
    """Exchange parameters and buffers by fake ones; other tensors of the model stay, and fail."""
    for module in model.modules():
        for name, value in module._parameters.items():
            if value is not None:
                fake = on_cuda(value)
                if value.dim() == 4:
                    fake = fake.clone(memory_format=memory_format).detach()
                module._parameters[name] = nn.Parameter(fake, requires_grad=value.requires_grad)
        module._buffers.update(on_cuda(module._buffers))
    return model


def tensors_of(values) -> list[Tensor]:
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, (list, tuple)):
        return [tensor for value in values for tensor in tensors_of(value)]
    return [values] if isinstance(values, Tensor) else []


def assert_on_cuda(values) -> None:
    found = tensors_of(values)
    assert found and {tensor.device.type for tensor in found} == {'cuda'}


def depth_inputs(model: nn.Module, text_width: int = 1024) -> dict:
    """Two images with neighbours in time, stereo where the model has no motion of its own."""
    frames = {i: torch.rand(2, 3, *SIZE) for i in (0, -1, 1, 's')}
    camera = torch.tensor([[100.0, 0, SIZE[1] / 2], [0, 100, SIZE[0] / 2], [0, 0, 1]])
    inputs = dict(
        images=frames,
        augmented=frames,
        cam2img=camera.expand(2, 3, 3),
        physics_depth=torch.rand(2, 1, *SIZE),
        gt_depth=torch.rand(2, 1, *SIZE),
        text=torch.rand(2, text_width),
    )
    if getattr(model, 'pose_net', None) is None:
        inputs['transforms'] = {i: torch.eye(4).expand(2, 4, 4) for i in (-1, 1, 's')}
    return inputs


@pytest.mark.parametrize('name', DEPTH)
def test_depth_models(name):
    model = build_model(read(name))
    with waiting_only_where_listed(name):
        inputs = on_cuda(depth_inputs(model, read(name).model.get('text_width') or 1))
        move(model).eval()
        assert_on_cuda(model.predict({0: inputs['images'][0]}, model.view(inputs)).values)
        if hasattr(model, 'text_probability'):
            model.text_probability = 0.0  # drawn on the host
        if name != 'configs/toy/depthclip_toy.py':  # which is not trained
            assert_on_cuda(model.train()(inputs, mode='loss'))


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_depth_models_in_other_types_and_layouts(dtype, memory_format):
    for name in ('monodepth2_r18_toy', 'monodepth2_hybrid_toy'):
        model = build_model(read(f'configs/toy/{name}.py'))
        with FakeTensorMode(), torch.autocast('cuda', dtype):
            inputs = on_cuda(depth_inputs(model))
            image = inputs['images'][0].contiguous(memory_format=memory_format)
            move(model, memory_format).eval()
            assert_on_cuda(model.predict({0: image}, model.view(inputs)).values)
            losses = model.train()(inputs, mode='loss')
            assert_on_cuda(losses)
            assert {tensor.dtype for tensor in tensors_of(losses)} == {torch.float32}


def without_waits(monkeypatch, head: nn.Module, targets: tuple) -> None:
    """Exchange the three places in the losses of detectors that wait, and are not checked here.

    Targets of the head: boxes are sorted by class, and the number of those inside the grid is a
    size. Loss of boxes: mmdet's `L1Loss` looks whether any weight is positive. Classes of LiDAR
    points: their number is a size.
    """
    from mmdet.models.losses import l1_loss

    from hybrid_depth.bev.depth_nets import semantics

    monkeypatch.setattr(head, 'get_targets', lambda _: targets)
    monkeypatch.setattr(head.loss_bbox, 'forward', l1_loss)
    monkeypatch.setattr(semantics, 'lidar_classes', lambda depth, *_: depth.long())


def in_channels_last(inputs: dict) -> dict:
    """Inputs of a detector, its images (B, N, 3, H, W) with the channels last in memory."""
    images = inputs['imgs'].movedim(2, -1).contiguous().movedim(-1, 2)
    adjacent = [in_channels_last(frame) for frame in inputs.get('adjacent', ())]
    return dict(inputs, imgs=images, adjacent=adjacent)


def check_detector(name: str, model: nn.Module, inputs: dict, samples: list, monkeypatch) -> None:
    """Head maps and losses in float32, then in autocast with layers and images channels-last."""
    head, mode = model.pts_bbox_head, FakeTensorMode()
    targets = head.get_targets([sample.gt_instances_3d for sample in samples])
    with mode:
        inputs, targets = on_cuda(inputs), on_cuda(targets)
    with monkeypatch.context() as patch:
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            half = dtype != torch.float32
            with waiting_only_where_listed(name, mode), torch.autocast('cuda', dtype, enabled=half):
                move(model, torch.channels_last if half else torch.preserve_format)
                inputs = in_channels_last(inputs) if half else inputs
                maps = model.eval()(inputs, samples, mode='tensor')
                assert_on_cuda(maps)
                assert {tensor.dtype for tensor in tensors_of(maps)} == {dtype}
                without_waits(patch, head, targets)
                losses = model.train()(inputs, samples, mode='loss')
                assert_on_cuda(losses)
                assert {tensor.dtype for tensor in tensors_of(losses)} == {torch.float32}


@pytest.mark.parametrize('name', DETECTORS)
def test_detectors(name, toy_nuscenes, tmp_path, monkeypatch):
    model = build_model(read(name))
    embodied = 'embodied' in name  # whose depth files the test has not
    config = 'bevdet_hybrid_toy' if embodied else Path(name).stem
    sample = training_keyframe(config, toy_nuscenes, tmp_path, 0)
    data = model.data_preprocessor(pseudo_collate([sample]))
    if embodied:
        batch, cameras, _, *size = data['inputs']['imgs'].shape
        data['inputs']['physics_depth'] = torch.ones(batch, cameras, *size)
    check_detector(name, model, data['inputs'], data['data_samples'], monkeypatch)


@pytest.mark.parametrize(
    'name',
    [name if name == CHEAP else pytest.param(name, marks=pytest.mark.slow) for name in LARGE],
)
def test_large_detectors(name, monkeypatch):
    cfg = read(name)
    cameras, pose = 6, torch.eye(4).double()
    cam2img = torch.tensor([[1266.0, 0, 800], [0, 1266, 450], [0, 0, 1]]).double()
    rig = CameraRig(
        cam2img=cam2img.expand(1, cameras, 3, 3),
        cam2ego=pose.expand(1, cameras, 4, 4),
        img_aug=torch.eye(3).double().expand(1, cameras, 3, 3),
        bda=pose[None],
        ego2global=pose[None],
    )
    dataset = cfg.train_dataloader.dataset
    dataset = dataset.get('dataset', dataset)
    frame = dict(imgs=torch.rand(1, cameras, 3, *cfg.final_size), rig=rig)
    inputs = dict(
        frame,
        adjacent=[frame] * dataset.get('num_adj', 0),
    )
    for target in ('gt_depth', 'pseudo_depth', 'physics_depth'):
        inputs[target] = torch.rand(1, cameras, *cfg.final_size)
    boxes = LiDARInstance3DBoxes(torch.tensor([[9.0, 3, -1, 4, 2, 1.5, 0.3, 1, 0]]), box_dim=9)
    truth = InstanceData(bboxes_3d=boxes, labels_3d=torch.tensor([0]))
    samples = [Det3DDataSample(gt_instances_3d=truth)]
    check_detector(name, build_model(cfg), inputs, samples, monkeypatch)


def test_a_tensor_on_the_cpu_and_a_wait_are_found():
    class Left(nn.Module):
        def forward(self, x):
            return x + torch.zeros(4)

    class Waits(nn.Module):
        def forward(self, x):
            return x * float(x.max())

    for model in (Left(), Waits()):
        with FakeTensorMode(), pytest.raises(Exception, match='device|aten._local_scalar_dense'):
            move(model)(on_cuda(torch.rand(4)))
