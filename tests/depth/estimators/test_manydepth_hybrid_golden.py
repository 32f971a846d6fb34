"""Hybrid-depth's multi-frame student (docs/reference/golden.md, "Hybrid-depth")."""

import pytest
import torch
from mmengine.registry import MODELS

from hybrid_depth.geometry.projection import scale_intrinsics
from hybrid_depth.releases.dpt_keys import convert_decoder_keys
from hybrid_depth.releases.manydepth_keys import convert_hybrid_student_keys
from tests.depth.estimators.tiny import TIMM
from tests.golden import recipe
from tests.golden.monodepth2 import cam2img
from tests.golden.reader import Golden
from tests.releases.official_encoder import official_weights

GOLDEN = Golden('hybrid_depth_manydepth')
SIZE = (224, 672)
# Of the golden note: features; text; what follows the towers.
FEATURE_LIMIT, TEXT_LIMIT, LIMIT = 1e-5, 2e-5, 3e-5
STUDENT = dict(
    type='ManyDepth',
    encoder=dict(
        type='HybridDepthEncoder',
        clip=dict(name='RN50-quickgelu', mean='imagenet', std='imagenet'),
        dino=dict(name='vit_base_patch14_dinov2', mean='none', std='none'),
        text=dict(num_tokens=128),
    ),
    decoder=dict(type='DPTDecoder'),
    # the student needs none of its teacher to predict
    teacher=dict(
        type='Monodepth2',
        encoder=TIMM,
        decoder=dict(type='Monodepth2Decoder', scales=(0,)),
        pose_net=None,
        masked_mean=True,
    ),
)


def build():
    model = MODELS.build(STUDENT)
    encoder = official_weights('manydepth/encoder.pth (owners only)')
    near, far = GOLDEN.array('depth_range')
    state, dropped = convert_hybrid_student_keys(
        dict(encoder, min_depth_bin=near, max_depth_bin=far)
    )
    decoder = official_weights('manydepth/depth.pth')
    decoder['depth_head.scratch.output_conv2.2.bias'].fill_(float(GOLDEN['head_bias']))
    state |= {f'decoder.{key}': value for key, value in convert_decoder_keys(decoder)[0].items()}
    found = model.load_state_dict(state, strict=False)
    assert not found.unexpected_keys
    assert {key.split('.')[0] for key in found.missing_keys} == {'teacher'}
    assert sum(key.startswith('reduce_conv.1') for key in dropped) == 2
    return model.eval()


def frames():
    """Target and lookup of two items: frames 0 and +1, and the one before each."""
    rows, columns = SIZE
    shift = int(GOLDEN['shift'])
    base = recipe.image(str(GOLDEN.array('image')), (1, 3, rows, columns + 2 * shift))
    before, now, after = (base[..., at : at + columns] for at in (0, shift, 2 * shift))
    return torch.cat([now, after]), torch.cat([before, now])


def record(model):
    """Outputs of the parts that the file has in their last pass: the stem's is the lookups'."""
    decoder, seen = model.decoder, {}
    parts = {'output_conv1': decoder.neck, 'before_relu': decoder.head}
    for i in range(4):
        parts |= {f'layer{i + 1}_rn': decoder.reduces[i], f'refinenet{i + 1}': decoder.fusions[i]}
    parts |= {'reduce_conv': model.matching.reduce_conv, 'stem': model.encoder.clip.visual.act3}

    for name, module in parts.items():
        module.register_forward_hook(
            lambda _, __, output, name=name: seen.update({name: output.clone()})
        )
    return seen


@pytest.mark.slow
@torch.no_grad()
def test_student():
    model = build()
    target, lookups = frames()
    cameras, poses = cam2img((2, *SIZE)), GOLDEN['pose']
    quarter = scale_intrinsics(cameras, 0.25, 0.25)[0]
    GOLDEN.check('K', torch.block_diag(quarter, torch.eye(1))[None], 1e-6)
    GOLDEN.check('inv_K', torch.block_diag(quarter.inverse(), torch.eye(1))[None], 1e-6)
    assert str(GOLDEN.array('salt')) == recipe.SALT
    chain = model.encoder.chain()
    GOLDEN.check('current_features', chain.begin(target, 0)[-1], FEATURE_LIMIT)
    GOLDEN.check('lookup_features', chain.begin(lookups, 0)[-1][:, None], FEATURE_LIMIT)
    seen = record(model)
    features, volume = model._encode_matched(target, lookups[:, None], cameras, poses)
    disparity = model.decoder(features, SIZE)[0]
    GOLDEN.check('depth_bins', volume.planes, 1e-6)
    GOLDEN.check('cost_volume', volume.costs, LIMIT)
    column = volume.costs[0, :, 20::8, 40::24]
    GOLDEN.check('cost_volume_column', column, LIMIT)
    GOLDEN.check_share('missing', volume.missing.float(), 1e-3)
    GOLDEN.check_share('confidence', volume.confidence, 1e-3)
    check_best(volume)
    GOLDEN.check('text', model.encoder.language.text_matrix().T / 128**0.5, TEXT_LIMIT)
    for i, (fused, joined) in enumerate(zip(features.maps, features.joined(), strict=True)):
        GOLDEN.check(f'fused{i}', fused, LIMIT)
        GOLDEN.check(f'head_input{i}', joined, LIMIT)
    for name, output in seen.items():
        GOLDEN.check(name, output, LIMIT)
    assert len(seen) == 12
    GOLDEN.check('disp', disparity, LIMIT)


def check_best(volume):
    """Smallest cost, and the depth where it is."""
    least = volume.costs.masked_fill(volume.costs == 0, 100).amin(1)
    GOLDEN.check('least_cost', least, LIMIT)
    lowest, layout = 1 / volume.best_depth(), GOLDEN.layout('lowest_cost')
    stored = torch.from_numpy(GOLDEN.stored('lowest_cost'))
    found = layout.take(lowest)
    assert (found.sub(stored).abs() > 1e-4 * layout.stats[2]).float().mean() < 1e-2
    assert abs(lowest.mean().item() - layout.stats[0]) < 1e-3 * layout.stats[2]
    assert abs(lowest.std(correction=0).item() - layout.stats[1]) < 1e-3 * layout.stats[2]
