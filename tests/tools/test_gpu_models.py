"""The benchmark of models on a GPU, on the CPU with toy models."""

import time

import pytest
import torch

pytest.importorskip('mmdet3d')
from benchmarks import gpu_models  # noqa: E402

CPU = torch.device('cpu')


@pytest.fixture(autouse=True)
def _scope():
    gpu_models.init_default_scope('mmdet3d')


@pytest.mark.parametrize('name', gpu_models.TOY)
def test_a_model_runs_in_every_form_until_the_deadline(name, capsys, monkeypatch):
    monkeypatch.setattr(torch, 'compile', lambda model, **_: model.forward)  # takes a minute
    gpu_models.speeds(name, gpu_models.TOY[name], CPU, time.monotonic() + 600)
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 8 and all('samples/s' in row for row in rows)
    assert sum('AMP' in row for row in rows) == sum('compiled' in row for row in rows) == 4
    gpu_models.speeds(name, gpu_models.TOY[name], CPU, time.monotonic())
    assert capsys.readouterr().out.count('left out') == 8


def test_runs_are_deterministic_and_their_losses_are_compared(capsys, monkeypatch):
    gpu_models.compare_runs(CPU, 2)
    assert capsys.readouterr().out.endswith('2 iterations: equal\n')
    gpu_models.compare_curves(CPU, 1)
    assert 'differ by 0.0e+00; mean of the last tenth: ratio 1.000' in capsys.readouterr().out
    losses = iter([torch.tensor([1.0, 0.9, 0.8]), torch.tensor([1.0, 0.9, 0.88])])
    monkeypatch.setattr(gpu_models, 'losses_of', lambda *_: (next(losses), {}))
    with pytest.raises(RuntimeError, match='got differences of 1.0e-01'):
        gpu_models.compare_curves(CPU, 3)


@pytest.mark.slow
@pytest.mark.parametrize('name', gpu_models.TOY)
def test_every_model_is_compiled(name, capsys):
    gpu_models.speeds(name, gpu_models.TOY[name], CPU, time.monotonic() + 3600)
    assert capsys.readouterr().out.count('samples/s') == 8
