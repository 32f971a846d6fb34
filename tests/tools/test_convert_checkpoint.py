"""The command line of the converter."""

import torch

from tests.releases.official_files import monodepth2_files, save_folder
from tests.tools.run import run_tool


def test_a_release_is_converted_and_reported(tmp_path, capsys):
    folder = save_folder(tmp_path / 'mono_640x192', monodepth2_files(draw=False))
    out = tmp_path / 'mono.pth'
    assert run_tool('convert_checkpoint.py', 'monodepth2', folder, out) is None
    output = capsys.readouterr().out
    assert 'kept: ' in output and 'the classifier is not used' in output
    assert output.endswith(f'wrote {out}\n')
    assert 'state_dict' in torch.load(out, weights_only=True)


def test_mismatches_are_one_line(tmp_path):
    error = run_tool('convert_checkpoint.py', 'monodepth2', tmp_path / 'absent', tmp_path / 'a.pth')
    assert error.startswith('error: ') and 'expected the released folder' in error
