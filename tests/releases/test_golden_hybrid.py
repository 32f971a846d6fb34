"""Full-size Hybrid-depth releases through the converter and the API, against golden outputs."""

import shutil

import pytest
import torch

from hybrid_depth.apis import init_depth_model
from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.checkpoints.strict_load import load_strictly
from hybrid_depth.engine.config import read_config
from hybrid_depth.releases.convert import convert_checkpoint
from tests.conftest import ROOT
from tests.depth.estimators.hybrid_model import triplet
from tests.depth.estimators.stage1_model import images
from tests.golden.reader import Golden
from tests.releases.official_encoder import official_images, official_weights
from tests.releases.official_files import FOLDER, save_folder

pytestmark = pytest.mark.slow
DECODER, POSE = Golden('hybrid_depth_decoder'), Golden('hybrid_depth_pose')
STAGE1 = Golden('hybrid_depth_stage1')
CONFIGS = ROOT / 'configs'
MAP_LIMIT, DISPARITY_LIMIT, POSE_LIMIT = 1e-5, 3e-5, 1e-5


@pytest.fixture(scope='module')
def stage2(tmp_path_factory):
    """The released folder with the recipe's weights."""
    files = {name: official_weights(f'stage2/{name}') for name in FOLDER}
    files['depth.pth']['depth_head.scratch.output_conv2.2.bias'].fill_(float(DECODER['head_bias']))
    files['encoder.pth'] |= dict(height=224, width=672, use_stereo=False)
    folder = save_folder(tmp_path_factory.mktemp('stage2') / 'release', files)
    yield folder
    shutil.rmtree(folder)  # a gigabyte


@pytest.mark.parametrize('drop_text_tower', [False, True])
@torch.no_grad()
def test_stage_2(stage2, tmp_path, drop_text_tower):
    out = tmp_path / 'hybrid.pth'
    conversion = convert_checkpoint(
        'hybrid-depth-stage2', stage2, out, drop_text_tower=drop_text_tower
    )
    assert conversion.overrides == {'model.encoder.text.num_tokens': 256}
    model = init_depth_model(CONFIGS / '_base_/models/monodepth2_hybrid.py', out)
    assert model.image_size == (224, 672)
    assert (model.encoder.language.tower is None) == drop_text_tower
    DECODER.check('scaled_disp', model.disparity(official_images()), DISPARITY_LIMIT)
    if not drop_text_tower:
        frames = triplet()
        found = model.relative_pose(frames[0], frames[1])
        POSE.check('eval.cam_T_cam.+1', found, POSE_LIMIT)
    out.unlink()


@torch.no_grad()
def test_stage_1(tmp_path):
    official = official_weights('stage1.ckpt[state_dict]')
    checkpoint = dict(epoch=19, state_dict=official, optimizer_states=[{}])
    torch.save(checkpoint, tmp_path / 'stage1.ckpt')
    out = tmp_path / 'stage1.pth'
    conversion = convert_checkpoint('hybrid-depth-stage1', tmp_path / 'stage1.ckpt', out)
    assert len(official) == 742 == len(conversion.kept) + len(conversion.dropped) - 2
    model = build_model(read_config(CONFIGS / conversion.config)).eval()
    load_strictly(model, load_checkpoint_file(out)['state_dict'], str(out))
    for path in tmp_path.iterdir():
        path.unlink()
    for i, level in enumerate(model.encoder(images(1)).maps):
        STAGE1.check(f'fused{i}', level, MAP_LIMIT)
    STAGE1.check('text', model.encoder.language.text_matrix().T / 7**0.5, 2e-5)
