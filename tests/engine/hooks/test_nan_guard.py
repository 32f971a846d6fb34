import pytest
import torch
from mmengine.registry import MODELS
from mmengine.runner import Runner

from tests.engine.tiny import TinyModel, tiny_config


@MODELS.register_module()
class SpoiltModel(TinyModel):
    """Model whose second loss term is not finite at a given iteration."""

    def __init__(self, value: float, at: int) -> None:
        super().__init__()
        self.value, self.at, self.calls = value, at, 0

    def forward(self, inputs: list, mode: str = 'loss') -> dict:
        self.calls += 1
        spoil = self.value if self.calls == self.at else 1.0
        losses = super().forward(inputs, mode)
        return dict(losses, loss_depth=losses['loss_fit'] * spoil)


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_non_finite_loss_stops_before_the_step(tmp_path, value):
    cfg = tiny_config(tmp_path)
    cfg.model = dict(type='SpoiltModel', value=value, at=5)
    runner = Runner.from_cfg(cfg)
    with pytest.raises(FloatingPointError, match='Epoch 2, iteration 5: loss term loss_depth is'):
        runner.train()
    assert all(torch.isfinite(p).all() for p in runner.model.parameters())
    assert (tmp_path / 'last_checkpoint').read_text().endswith('epoch_1.pth')
    assert not (tmp_path / 'epoch_2.pth').exists()


def test_non_finite_parameters_are_not_saved(tmp_path):
    cfg = tiny_config(tmp_path)
    runner = Runner.from_cfg(cfg)

    def spoil(grad: torch.Tensor) -> torch.Tensor:
        return grad * float('nan') if runner.iter == 5 else grad  # the last of epoch 2

    runner.model.net[2].weight.register_hook(spoil)
    with pytest.raises(FloatingPointError, match=r'iteration 6: parameter net.0.weight \(4 of 4'):
        runner.train()
    assert sorted(path.name for path in tmp_path.glob('*.pth*')) == ['epoch_1.pth']
