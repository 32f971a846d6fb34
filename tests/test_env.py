import importlib.metadata
import sys

import pytest
import torch

from hybrid_depth import env, env_ops, mmcv_ext

DEVICES = ['cpu', *(['cuda:0'] if torch.cuda.is_available() else [])]


def test_table_lists_every_part_without_failures():
    rows = env.collect()
    names = {name for name, _, _ in rows}
    assert names >= {'PyTorch', 'CUDA', 'Triton', 'open_clip (CLIP)', 'timm (DINO)', 'mmengine'}
    assert not [row for row in rows if 'BROKEN' in row[2]]
    assert [row for row in rows if row[0] in env_ops.OPS] == [
        (name, device, 'ok') for device in DEVICES for name in env_ops.OPS
    ]


@pytest.mark.parametrize('compiled', [True, False])
def test_mmcv_with_and_without_compiled_ops(compiled, monkeypatch):
    mmcv_ops = pytest.importorskip('mmcv.ops')
    monkeypatch.setattr(mmcv_ext, 'is_compiled', lambda: compiled)
    monkeypatch.setattr(mmcv_ops, 'get_compiling_cuda_version', lambda: '13.0')
    ((version, state),) = [row[1:] for row in env.collect() if row[0] == 'mmcv']
    assert version == '2.1.0'
    assert state == (
        'ok, with compiled ops (CUDA: 13.0)'
        if compiled
        else 'ok, without compiled ops (mmcv-lite), which are not needed'
    )


def test_absent_and_broken_packages_are_lines_not_errors(monkeypatch, capsys):
    def version(name: str) -> str:
        if name in ('timm', 'mmengine'):
            raise importlib.metadata.PackageNotFoundError(name)
        return '1.0-lite' if 'lite' in name else '1.0'

    def broken() -> str:
        raise OSError('undefined symbol')

    monkeypatch.setattr(importlib.metadata, 'version', version)
    monkeypatch.setattr(env, '_mmcv', broken)
    monkeypatch.setitem(sys.modules, 'torchvision.ops', None)
    env.main()
    lines = {line.split('  ')[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines['timm (DINO)'].endswith('-         not installed')
    assert '1.0-lite  ok' in lines['mmengine']
    assert lines['mmcv'].endswith('BROKEN: OSError: undefined symbol')
    assert 'BROKEN: ModuleNotFoundError' in lines['deformable convolution']
    assert lines['rotated NMS'].endswith('cpu       ok')


def _no_suppression(boxes, scores, threshold):
    return torch.arange(len(boxes))


def _no_offset(image, offset, weight):
    return image * weight


def _half(depth, feat, plan):
    return torch.full((1, 1, 1, 2), 0.5) + 0 * feat.sum()


@pytest.mark.parametrize(
    ('row', 'place', 'wrong'),
    [
        ('rotated NMS', 'hybrid_depth.env_ops.rotated_nms', _no_suppression),
        ('deformable convolution', 'torchvision.ops.deform_conv2d', _no_offset),
        ('BEV pooling', 'hybrid_depth.env_ops.bev_pool', _half),
        ('grid sample', 'hybrid_depth.env_ops.F.grid_sample', lambda x, *_, **__: x[..., :1] * 2),
        ('bf16', 'torch.nn.Linear.forward', lambda layer, x: 2 * layer.weight.sum(1, True)),
    ],
)
def test_wrong_results_are_reported(row, place, wrong, monkeypatch):
    monkeypatch.setattr(place, wrong)
    with pytest.raises(RuntimeError, match='expected .*, got '):
        env_ops.OPS[row]('cpu')
