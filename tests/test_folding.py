import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import EMAHook
from mmengine.runner import get_priority
from torch import nn

import hybrid_depth.modules  # noqa: F401  registers the models
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.engine.hooks import FoldBatchNormHook
from hybrid_depth.folding import fold_batch_norms
from hybrid_depth.geometry.camera_view import CameraView
from tests.bev.toy import training_keyframe
from tests.configs.shipped import read

DEPTH = (
    'depthclip_toy',
    'embodiment_toy',
    'manydepth-prior_r18_toy',
    'manydepth_hybrid_toy',
    'mono_vifi_r18_toy',
    'monodepth2_hybrid_toy',
)
DETECTORS = ('bevdet_plain_toy', 'bevdet_hybrid_toy', 'bevdet4d_toy', 'fbbev_hybrid_history_toy')


def uneven(model: nn.Module) -> nn.Module:
    """The model in evaluation mode, with statistics and weights that do not cancel."""
    draw = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            for values, low, high in (
                (module.running_mean, -0.3, 0.3),
                (module.running_var, 0.5, 2),
                (module.weight, 0.5, 1.5),
                (module.bias, -0.3, 0.3),
            ):
                values.data.uniform_(low, high, generator=draw)
    return model.eval()


def close(found, expected) -> None:
    scale = expected.abs().max()
    assert expected.isfinite().all() and scale > 0 and expected.std() > 0
    assert (found - expected).abs().max() < 1e-3 * scale


@pytest.mark.parametrize('name', DEPTH)
@torch.no_grad()
def test_depth_does_not_change(name):
    model = uneven(build_model(read(f'configs/toy/{name}.py')))
    size = (64, 128)
    torch.manual_seed(0)
    frames = {0: torch.rand(1, 3, *size)}
    camera = torch.tensor([[[100.0, 0, size[1] / 2], [0, 100, size[0] / 2], [0, 0, 1]]])
    view = CameraView(camera, size, physics_depth=5 + 20 * torch.rand(1, 1, *size))
    expected = model.predict(frames, view).values
    assert fold_batch_norms(model) > 10
    close(model.predict(frames, view).values, expected)


@pytest.mark.parametrize('name', DETECTORS)
@torch.no_grad()
def test_maps_of_detectors_do_not_change(name, toy_nuscenes, tmp_path):
    model = uneven(build_model(read(f'configs/toy/{name}.py')))
    sample = training_keyframe(name, toy_nuscenes, tmp_path, 0)
    data = model.data_preprocessor(pseudo_collate([sample]))
    folded = copy.deepcopy(model)
    fold_batch_norms(folded)
    expected, found = (m(**data, mode='tensor')[0][0] for m in (model, folded))
    for key, values in expected.items():
        close(found[key], values)


def test_only_a_norm_after_its_convolution_is_folded():
    class Activated(nn.BatchNorm2d):
        def forward(self, x):
            return super().forward(x).relu()

    model = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1), Activated(4)
    )
    assert fold_batch_norms(model.eval()) == 0


def test_training_mode_is_refused():
    with pytest.raises(ValueError, match='evaluation mode'):
        fold_batch_norms(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)))


def test_a_test_folds_after_the_averaged_weights_come_and_before_they_go():
    """EMA exchanges the parameters of the model with its own, one by one."""
    hook = FoldBatchNormHook()
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).eval()
    names, before = list(model.state_dict()), copy.deepcopy(model.state_dict())
    runner = SimpleNamespace(model=model)
    for index in range(2):
        hook.before_test_iter(runner, index)
        assert isinstance(model[1], nn.Identity)
    hook.after_test_epoch(runner)
    assert list(model.state_dict()) == names
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    # both hooks at once: this one is first after the epoch
    assert get_priority(FoldBatchNormHook.priority) < get_priority(EMAHook.priority)
