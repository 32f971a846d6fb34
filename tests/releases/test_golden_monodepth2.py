"""A released Monodepth2 folder through the converter and the API, against golden outputs."""

import pytest
import torch

from hybrid_depth.apis import init_depth_model
from hybrid_depth.geometry.disparity import scale_disparity
from hybrid_depth.releases.convert import convert_checkpoint
from tests.conftest import ROOT
from tests.golden.monodepth2 import RELEASE, SIZE, frames
from tests.golden.reader import Golden
from tests.releases.official_files import monodepth2_files, save_folder

NETS = Golden('monodepth2_nets')
LIMIT = 1e-4  # "network outputs" of the golden note
CONFIGS = ROOT / 'configs'


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp('release')
    save_folder(folder / 'mono_640x192', monodepth2_files())
    out = folder / 'mono_640x192.pth'
    convert_checkpoint('monodepth2', folder / 'mono_640x192', out)
    return init_depth_model(CONFIGS / '_base_/models/monodepth2_r18.py', out)


@torch.no_grad()
def test_disparity_and_pose(model):
    images = frames(SIZE)
    assert model.image_size == (RELEASE['height'], RELEASE['width'])
    outputs = model.decode(images[0])
    for scale in range(4):
        NETS.check(f'r18.disp{scale}', outputs[scale], LIMIT)
    disparity = model.disparity(images[0])
    assert torch.equal(disparity, scale_disparity(outputs[0], 0.1, 100.0))
    motion = model.pose_net.decoder([model.pose_net.encoder([images[-1], images[0]])])
    NETS.check('pose.axisangle', motion[..., :3].unflatten(1, (2, 1)), LIMIT)
    NETS.check('pose.translation', motion[..., 3:].unflatten(1, (2, 1)), LIMIT)
