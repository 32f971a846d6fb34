"""mmdet's ResNet as image backbone."""

import pytest
import torch

pytest.importorskip('mmdet3d')
from hybrid_depth.bev.backbones import BEVResNet  # noqa: E402


@pytest.mark.parametrize(('device', 'checkpointed'), [('cpu', False), ('meta', True)])
def test_checkpointing_only_where_it_saves_memory_of_a_gpu(device, checkpointed):
    with torch.device(device):
        backbone = BEVResNet(depth=18, with_cp=True)
        backbone(torch.rand(1, 3, 64, 64))
    assert all(block.with_cp is checkpointed for block in backbone.layer1)


def test_a_training_pass_on_the_cpu_updates_statistics_once():
    backbone = BEVResNet(depth=18, with_cp=True, norm_eval=False)
    sum(stage.sum() for stage in backbone(torch.rand(1, 3, 64, 64))).backward()
    assert backbone.layer1[0].bn1.num_batches_tracked == 1
