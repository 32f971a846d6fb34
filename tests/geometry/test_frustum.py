import pytest
import torch

from hybrid_depth.geometry import CameraRig, DepthBins, create_frustum, lift_frustum
from tests.golden.bevdet import official_rig
from tests.golden.reader import Golden

GEOMETRY = Golden('bevdet_geometry')
BINS = DepthBins(1.0, 60.0, step=1.0, anchor='lower')


@pytest.mark.parametrize('step, key', [(1.0, 'frustum.D59'), (0.5, 'frustum.D118')])
def test_frustum_equals_golden(step, key):
    bins = DepthBins(1.0, 60.0, step=step, anchor='lower')
    GEOMETRY.check(key, create_frustum(bins.anchors, (16, 44), (256, 704)), 0)


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_lift_equals_golden(view):
    frustum, rig = create_frustum(BINS.anchors, (16, 44), (256, 704)), official_rig(view)
    points = lift_frustum(frustum, rig)
    GEOMETRY.check(f'{view}.coor', points, 1e-6)
    # one rounding at the far end of a ray; another order of operations may round differently
    error = (points - lift_frustum(frustum, rig.to(torch.float64))).abs().max()
    GEOMETRY.check(f'{view}.coor_error_f32', error, 0.1)


def test_lift_inverts_projection_in_float64():
    rig = official_rig('aug').to(torch.float64)
    frustum = create_frustum(BINS.anchors, (16, 44), (256, 704), align='centres')
    points = lift_frustum(frustum, rig)
    homogeneous = torch.nn.functional.pad(points, (0, 1), value=1.0)
    uvd = (rig.ego2img()[:, :, None, None, None] @ homogeneous.unsqueeze(-1)).squeeze(-1)
    assert (uvd[..., 2] - frustum[..., 2]).abs().max() < 1e-4
    assert (uvd[..., :2] / uvd[..., 2:] - frustum[..., :2]).abs().max() < 1e-3


def test_centres_are_pixel_centres():
    frustum = create_frustum(BINS.anchors, (2, 4), (32, 64), align='centres')
    assert frustum[0, :, 0, 1].tolist() == [7.5, 23.5]
    uneven = create_frustum(BINS.anchors, (4, 4), (32, 64), align='centres')  # cells of 8 x 16
    assert uneven[0, :, 0, 1].tolist() == [3.5, 11.5, 19.5, 27.5]
    assert uneven[0, 0, :, 0].tolist() == [7.5, 23.5, 39.5, 55.5]
    with pytest.raises(ValueError, match='align'):
        create_frustum(BINS.anchors, (2, 4), (32, 64), align='middle')


def test_rig_rejects_wrong_shapes():
    eye = torch.eye(4)[None]
    with pytest.raises(ValueError, match=r'CameraRig.bda: expected shape \(1, 4, 4\)'):
        CameraRig(torch.eye(3)[None, None], eye[None], torch.eye(3)[None, None], eye[0], eye)
