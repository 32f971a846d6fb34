import importlib.metadata

from hybrid_depth import env


def test_table_holds_every_part_and_nothing_is_broken():
    rows = {name: (version, state) for name, version, state in env.collect()}
    assert rows['mmcv ops'][0] == '2.1.0'
    assert rows['mmcv ops'][1].startswith('ok, nms_rotated works')
    assert {'PyTorch', 'CUDA', 'Triton', 'open_clip (CLIP)', 'timm (DINO)', 'nuScenes devkit'} <= {
        *rows
    }
    assert not [name for name, (_, state) in rows.items() if 'BROKEN' in state]


def test_absent_and_broken_packages_are_lines_not_errors(monkeypatch, capsys):
    def version(name: str) -> str:
        if name == 'timm':
            raise importlib.metadata.PackageNotFoundError(name)
        return '1.0'

    def broken() -> str:
        raise OSError('undefined symbol')

    monkeypatch.setattr(importlib.metadata, 'version', version)
    monkeypatch.setattr(env, '_mmcv_ops', broken)
    env.main()
    lines = capsys.readouterr().out.splitlines()
    assert any('timm' in line and line.endswith('not installed') for line in lines)
    assert any('mmcv' in line and 'BROKEN: OSError: undefined symbol' in line for line in lines)
