"""Affine views: the official rules, and views of points."""

import torch

from hybrid_depth.geometry.affine_view import AffineView, view_camera
from hybrid_depth.losses import PhotometricError, reprojection_minimum, scale_invariant_log
from hybrid_depth.losses.smoothness import edge_aware_smoothness, normalize_by_mean
from tests.golden.mono_vifi import cam2img, image, meta, sizes
from tests.golden.reader import Golden

GOLDEN = Golden('mono_vifi_rules')
_, SIZE = sizes(GOLDEN)
SHAPE = (SIZE[0], 3, *SIZE[1:])
LIMIT = 1e-4


def official_view():
    shape = (SIZE[0], 1, *SIZE[1:])
    return AffineView(
        angle=GOLDEN['affine.angle'][:, 0],
        box=GOLDEN['affine.box'],
        ratio=GOLDEN['affine.ratio_local'][:, 0],
        camera=GOLDEN['affine.Rc'],
        seen=GOLDEN.bits('affine.valid_mask_rec.packed', shape),
        returned=GOLDEN.bits('affine.valid_mask_cons.packed', shape),
    )


def test_golden_camera():
    cameras = []
    for draw in meta(GOLDEN)['affine']:
        large = [int(side * draw['ratio']) for side in SIZE[:0:-1]]
        room = [a - b for a, b in zip(large, SIZE[:0:-1], strict=True)]
        offset = [int(side * draw[axis]) for side, axis in zip(room, 'xy', strict=True)]
        cameras.append(view_camera(cam2img(SIZE)[0], draw['angle'], draw['ratio'], offset, large))
    GOLDEN.check('affine.Rc', torch.stack(cameras), 1e-6)


def test_golden_view_and_way_back():
    view = official_view()
    GOLDEN.check('affine_transform', view.apply(image('affine', SHAPE)), LIMIT)
    affine, single, multi = (0.5 + 20 * image(f'depth{i}', SHAPE)[:, :1] for i in range(3))
    restored = view.restore(affine)
    agreement = [scale_invariant_log(restored, x, view.returned) for x in (multi, single)]
    GOLDEN.check('depth_consistency', torch.stack(agreement).mean(1).sum(), LIMIT)


def test_golden_base_loss():
    """The mask of the view leaves the smoothness and the number of pixels alone."""
    disparity = image('base.disp', SHAPE)[:, :1]
    target, *others = (image(f'base.img{i}', SHAPE) for i in range(5))
    error = PhotometricError(target)
    warped, sources = (torch.stack([error(x) for x in others[i : i + 2]]) for i in (0, 2))
    smallest, wins = reprojection_minimum(warped, sources)
    smoothness = 1e-3 * edge_aware_smoothness(normalize_by_mean(disparity), target)
    GOLDEN.check('base', smallest.mean() + smoothness, LIMIT)
    masked = (smallest * official_view().seen.squeeze(1)).mean()
    GOLDEN.check('base.masked', masked + smoothness, LIMIT)
    GOLDEN.check_share('base.automask', wins.unsqueeze(1), 5e-3)


def test_motion_between_views():
    """A point goes the same way through the cameras and through their views."""
    view = official_view()
    motion = torch.eye(4).repeat(SIZE[0], 1, 1)
    motion[:, :3, 3] = torch.tensor([0.3, -0.1, 0.5])
    motion[:, :2, :2] = torch.tensor([[0.8, -0.6], [0.6, 0.8]])
    point = torch.tensor([1.0, 2.0, 8.0])
    there = motion[:, :3, :3] @ point + motion[:, :3, 3]
    turned = view.transforms(motion)
    seen = turned[:, :3, :3] @ (view.camera @ point).unsqueeze(-1) + turned[:, :3, 3:]
    torch.testing.assert_close(seen, view.camera @ there.unsqueeze(-1))


def test_depth_comes_back():
    view = official_view()
    depth = 2 + image('any', SHAPE)[:, :1]
    enlarged = view.apply(depth) / view.ratio.view(-1, 1, 1, 1)
    inside = view.returned & (
        view.restore(view.seen.float()) > 0.999 * view.ratio.view(-1, 1, 1, 1)
    )
    difference = (view.restore(enlarged) - depth).abs()[inside]
    assert inside.float().mean() > 0.2 and difference.quantile(0.95) < 0.05
