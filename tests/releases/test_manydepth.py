"""A released ManyDepth folder through the converter."""

import pytest
import torch

from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError
from hybrid_depth.depth.estimators.init import init_depth_model
from hybrid_depth.releases.conversion import ReleaseError
from hybrid_depth.releases.convert import convert_checkpoint
from hybrid_depth.releases.manydepth_keys import FILES
from hybrid_depth.releases.report import conversion_report
from tests.conftest import ROOT
from tests.depth.estimators.manydepth_model import official_weights
from tests.golden import recipe
from tests.releases.official_files import save_folder

CONFIG = ROOT / 'configs/manydepth/manydepth_r18_1xb12-20e_kitti-raw_192x640.py'


def official_files(num_bins=96):
    files = official_weights(num_bins, depth_range=(0.3, 17.5))
    grids = {
        k: s for k, s in recipe.shapes('manydepth_keys')['encoder.pth'].items() if 'backp' in k
    }
    files['encoder.pth'] |= {k: torch.zeros(()).expand(s) for k, s in grids.items()}
    return files


@pytest.fixture(scope='module')
def converted(tmp_path_factory):
    folder = save_folder(tmp_path_factory.mktemp('release') / 'KITTI_MR', official_files())
    out = folder.parent / 'manydepth.pth'
    return folder, out, convert_checkpoint('manydepth', folder, out)


def test_keeps_every_tensor_that_runs(converted):
    folder, out, conversion = converted
    state, meta = (load_checkpoint_file(out)[key] for key in ('state_dict', 'meta'))
    official = {name: load_checkpoint_file(folder / name) for name in FILES}
    assert torch.equal(
        state['encoder.encoder.layer1.0.conv1.weight'],
        official['encoder.pth']['layer1.1.0.conv1.weight'],
    )
    assert torch.equal(
        state['teacher.pose_net.decoder.net.3.bias'], official['pose.pth']['net.3.bias']
    )
    entries = sum(len(file) for file in official.values())
    assert entries == len(conversion.kept) + len(conversion.dropped)
    assert meta['depth_range'] == (0.3, 17.5) and tuple(meta['image_size']) == (192, 640)
    torch.testing.assert_close(state['matching.depth_range'].tolist(), [0.3, 17.5])
    report = conversion_report(conversion)
    assert 'min_depth_bin 0.3 and max_depth_bin 17.5' in report
    assert 'encoder.pth:prematching_conv.0.weight' in report


def test_fits_the_config(converted):
    model = init_depth_model(CONFIG, converted[1])
    assert model.image_size == (192, 640)
    assert model.matching.depth_range.tolist() == [0.3, 17.5]


def test_other_numbers_of_bins(tmp_path):
    folder = save_folder(tmp_path / 'bins', official_files(num_bins=32))
    conversion = convert_checkpoint('manydepth', folder, tmp_path / 'out.pth')
    assert conversion.overrides == {'model.cost_volume.num_bins': 32}


def test_a_release_without_bins(tmp_path):
    files = official_files()
    del files['encoder.pth']['max_depth_bin']
    folder = save_folder(tmp_path / 'old', files)
    with pytest.raises(ReleaseError, match='min_depth_bin and max_depth_bin'):
        convert_checkpoint('manydepth', folder, tmp_path / 'out.pth')


def test_a_checkpoint_without_bins(converted, tmp_path):
    checkpoint = load_checkpoint_file(converted[1])
    del checkpoint['state_dict']['matching.depth_range']
    torch.save(checkpoint, tmp_path / 'cut.pth')
    with pytest.raises(CheckpointMismatchError, match='matching.depth_range'):
        init_depth_model(CONFIG, tmp_path / 'cut.pth')


def test_missing_files_and_strangers(tmp_path):
    files = official_files()
    stranger = files['encoder.pth'] | {'layer9.weight': torch.zeros(1)}
    folder = save_folder(tmp_path / 'strange', files | {'encoder.pth': stranger})
    with pytest.raises(ReleaseError, match='layer9.weight'):
        convert_checkpoint('manydepth', folder, tmp_path / 'out.pth')
    (folder / 'mono_depth.pth').unlink()
    with pytest.raises(FileNotFoundError, match='mono_depth.pth'):
        convert_checkpoint('manydepth', folder, tmp_path / 'out.pth')
