"""The reprojection objective against independent computations."""

import pytest
import torch
from torch.nn.functional import avg_pool2d

from hybrid_depth.geometry.rigid import invert_rigid
from hybrid_depth.losses import PhotometricError, ReprojectionObjective
from hybrid_depth.losses.reprojection import shrink

SIZE = (64, 96)
FOCAL, BASELINE, SHIFT = 60.0, 0.1, 2  # a plane SHIFT pixels apart in the two cameras
DISTANCE = FOCAL * BASELINE / SHIFT


@pytest.fixture
def stereo():
    """Target (1, 3, H, W), sources (2, ...): one camera to each side of a plane; cam2img and
    transforms of both."""
    torch.manual_seed(0)
    scene = avg_pool2d(torch.rand(1, 3, 70, 110), 5, stride=1, padding=2)
    left, target, right = (scene[..., :64, x : x + 96] for x in (4 - SHIFT, 4, 4 + SHIFT))
    cam2img = torch.tensor([[[FOCAL, 0, 48], [0, FOCAL, 32], [0, 0, 1.0]]])
    to_left = torch.eye(4)[None]
    to_left[:, 0, 3] = BASELINE
    return (
        target,
        torch.stack([left, right]),
        cam2img,
        torch.stack([to_left, invert_rigid(to_left)]),
    )


def plane(distance):
    return torch.full((1, 1, *SIZE), distance)


def terms(stereo, depth=None, output=None, **options):
    objective = ReprojectionObjective(tie_break=0, **options)
    depth = plane(DISTANCE) if depth is None else depth
    output = 1 / depth if output is None else output
    return objective(objective.views(*stereo[:3]), depth, stereo[3], output)


def test_true_depth_warps_sources_onto_the_target(stereo):
    found, inner = terms(stereo), (..., slice(SHIFT, -SHIFT))
    torch.testing.assert_close(found.warped[inner], stereo[0].expand(2, 1, 3, *SIZE)[inner])
    assert found.grid.shape == (2, 1, *SIZE, 2)
    assert found.errors.shape == (2, 1, 1, *SIZE)
    assert found.errors[..., SHIFT + 1 : -SHIFT - 1].max() < 1e-4  # windows of 3 pixels
    assert found.smallest.shape == (1, *SIZE)
    assert terms(stereo, plane(2 * DISTANCE)).smallest.mean() > 5 * found.smallest.mean()


def test_gradient_descent_finds_the_depth(stereo):
    objective = ReprojectionObjective(automask=False)
    views = objective.views(stereo[0], stereo[1][:1], stereo[2])
    # Farther away, the blur of bilinear sampling creates local minima.
    inverse_depth = torch.tensor(0.2, requires_grad=True)
    optimiser = torch.optim.Adam([inverse_depth], lr=0.01)
    for _ in range(60):
        depth = (1 / inverse_depth).expand(1, 1, *SIZE)
        error = objective(views, depth, stereo[3][:1], depth).errors.mean()
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
    assert abs(1 / inverse_depth.item() - DISTANCE) < 0.1


def test_automask_and_average_reach_the_minimum(stereo):
    error = PhotometricError(stereo[0])
    unwarped, found = error(stereo[1])[:, :, 0], terms(stereo, plane(5.0))
    warped = found.errors[:, :, 0]
    assert torch.equal(found.smallest, torch.cat([unwarped, warped]).amin(0))
    assert 0 < found.warped_wins.float().mean() < 1
    plain = terms(stereo, plane(5.0), automask=False)
    assert torch.equal(plain.smallest, warped.amin(0)) and plain.warped_wins.all()
    averaged = terms(stereo, plane(5.0), average=True)
    assert torch.equal(averaged.smallest, torch.minimum(unwarped.mean(0), warped.mean(0)))


def test_ssim_weight_and_sampling_convention(stereo):
    l1 = terms(stereo, ssim_weight=0.0)
    assert torch.equal(l1.errors, (l1.warped - stereo[0]).abs().mean(2, keepdim=True))
    shifted = terms(stereo, align_corners=False)
    assert torch.equal(shifted.grid, l1.grid) and not torch.equal(shifted.warped, l1.warped)


def test_views_are_shared_by_depth_maps_and_objectives(stereo, monkeypatch):
    """A teacher with the auto-mask and a student without, as ManyDepth needs them."""
    calls, original = [], PhotometricError.__init__

    def counted(self, *args):
        calls.append(args)
        original(self, *args)

    monkeypatch.setattr(PhotometricError, '__init__', counted)
    teacher, student = ReprojectionObjective(), ReprojectionObjective(automask=False)
    views = teacher.views(*stereo[:3])
    first = teacher(views, plane(5.0), stereo[3], plane(1.0))
    second = student(views, plane(DISTANCE), stereo[3].detach(), plane(1.0))
    assert len(calls) == 1 and second.smallest.mean() < first.smallest.mean()


def test_resized_views_project_the_same_points(stereo):
    objective = ReprojectionObjective(tie_break=0)
    views = objective.views(*stereo[:3])
    small = views.resized((16, 48))  # a quarter of the rows, half of the columns
    assert small.size == (16, 48) and small.sources.shape == (2, 1, 3, 16, 48)
    assert torch.equal(small.target, avg_pool2d(views.target, (4, 2)))
    assert torch.equal(small.sources[1], avg_pool2d(views.sources[1], (4, 2)))
    found = objective(small, plane(DISTANCE)[..., ::4, ::2], stereo[3], plane(1.0))
    inner = (..., slice(SHIFT, -SHIFT))
    expected = small.target.expand(2, 1, 3, 16, 48)
    torch.testing.assert_close(found.warped[inner], expected[inner])


def test_smoothness_of_the_output_with_the_resized_target(stereo):
    """The output has a step at one column of the resized image, half its mean to each side."""
    output = torch.ones(1, 1, 16, 24)
    output[..., 12:] = 3.0
    edges = avg_pool2d(stereo[0], 4).diff(dim=-1).abs().mean(1)[..., 11]
    expected = (1.0 * (-edges).exp()).sum() / (16 * 23)
    assert torch.isclose(terms(stereo, output=output).smoothness, expected)


def test_loss_weighs_scales(stereo):
    objective = ReprojectionObjective(smoothness_weight=0.5)
    ramp = torch.linspace(1, 2, SIZE[1]).expand(1, 1, *SIZE)
    found = {
        1: terms(stereo, plane(DISTANCE), ramp),
        3: terms(stereo, plane(2 * DISTANCE), shrink(ramp, (8, 12))),
    }
    loss = objective.loss(found)
    photometric = (found[1].smallest.mean() + found[3].smallest.mean()) / 2
    smoothness = (0.5 / 2 * found[1].smoothness + 0.5 / 8 * found[3].smoothness) / 2
    assert torch.isclose(loss['loss_photometric'], photometric)
    assert torch.isclose(loss['loss_smoothness'], smoothness)
    assert loss['warped_share'] == found[1].warped_wins.float().mean()


def test_detached_inputs_get_no_gradient(stereo):
    """A motion mask multiplies the loss of each pixel; the motion is not trained by this term."""
    depth, transforms = plane(5.0).requires_grad_(), stereo[3].clone().requires_grad_()
    found = terms((*stereo[:3], transforms.detach()), depth)
    mask = torch.zeros(1, *SIZE)
    mask[:, :32] = 1
    (found.smallest * mask).sum().backward()
    assert transforms.grad is None and depth.grad[:, :, :31].abs().sum() > 0
    assert not depth.grad[:, :, 34:].any()


def test_wrong_shapes_are_named(stereo):
    objective = ReprojectionObjective()
    with pytest.raises(ValueError, match=r'got \(1, 3, 64, 96\), \(1, 3, 64, 96\)'):
        objective.views(stereo[0], stereo[1][0], stereo[2])
    with pytest.raises(ValueError, match=r'cam2img \(B, 3, 3\), got .* and \(3, 3\)'):
        objective.views(stereo[0], stereo[1], stereo[2][0])
    views = objective.views(*stereo[:3])
    with pytest.raises(ValueError, match=r'size \(64, 96\) and 2 transforms, got \(64, 96\) and 1'):
        objective(views, plane(3.0), stereo[3][:1], plane(3.0))
    with pytest.raises(ValueError, match=r'got \(32, 48\)'):
        objective(views, plane(3.0)[..., :32, :48], stereo[3], plane(3.0))


def test_masked_mean(stereo):
    """Over the pixels that the auto-mask leaves in, or over those of a mask, or over both."""
    found = terms(stereo, plane(0.5 * DISTANCE), masked_mean=True)
    wins, error = found.warped_wins, found.smallest
    assert wins.any() and not wins.all()
    objective = ReprojectionObjective(masked_mean=True)
    torch.testing.assert_close(objective.photometric(found), error[wins].mean())
    mask = torch.zeros_like(wins)
    mask[..., 40:60] = True
    both = error[wins & mask].mean()
    torch.testing.assert_close(objective.photometric(found, mask), both)
    loss = ReprojectionObjective().loss({0: found}, mask)['loss_photometric']
    torch.testing.assert_close(loss, error[mask].mean())
    assert objective.photometric(found, torch.zeros_like(mask)) == 0


@pytest.mark.parametrize('average', [False, True])
@pytest.mark.parametrize('masked_mean', [False, True])
def test_pixels_of_the_vehicle_itself_do_not_count(stereo, average, masked_mean):
    """Painting them in any colour changes neither the loss nor the gradient."""
    target, sources, cam2img, transforms = stereo
    hidden = torch.zeros(3, 1, 1, *SIZE, dtype=torch.bool)
    hidden[..., 50:, 20:70] = True

    def loss(value):
        painted = [image.masked_fill(hidden[0], value) for image in (target, *sources)]
        # windows of SSIM reach one pixel beyond
        objective = ReprojectionObjective(
            tie_break=0, average=average, masked_mean=masked_mean, ssim_weight=0.0
        )
        depth = plane(1.2 * DISTANCE).requires_grad_()
        views = objective.views(painted[0], torch.stack(painted[1:]), cam2img, hidden=hidden)
        found = objective.loss({0: objective(views, depth, transforms, 1 / depth)})
        (gradient,) = torch.autograd.grad(found['loss_photometric'], depth)
        return found['loss_photometric'], gradient

    (dark, gradient), (bright, other) = loss(0.1), loss(0.9)
    torch.testing.assert_close(bright, dark)
    torch.testing.assert_close(other, gradient)
    assert (gradient[..., 50:, 20:70] == 0).all() and (gradient[..., :40, 5:90] != 0).any()


def test_a_pixel_hidden_in_one_source_is_compared_with_the_other(stereo):
    hidden = torch.zeros(3, 1, 1, *SIZE, dtype=torch.bool)
    hidden[1] = True  # all of the left source
    objective = ReprojectionObjective(tie_break=0, automask=False)
    depth = plane(DISTANCE)
    views = objective.views(*stereo[:3], hidden=hidden)
    found = objective(views, depth, stereo[3], 1 / depth)
    torch.testing.assert_close(found.smallest, found.errors[1, :, 0])
    assert found.visible.all()
    half = views.resized((32, 48)).hidden
    assert half.shape == (3, 1, 1, 32, 48) and half[1].all() and not half[0].any()
