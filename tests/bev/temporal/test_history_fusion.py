"""History fusion: warped maps, ages, starts of sequences, order of samples."""

from dataclasses import replace

import pytest
import torch

from hybrid_depth.bev.temporal.history_fusion import HistoryFusion, SequencePosition
from hybrid_depth.geometry import CameraRig, VoxelGrid

GRID = VoxelGrid(x=(-8.0, 8.0, 1.0), y=(-8.0, 8.0, 1.0), z=(-2.0, 2.0, 4.0))
CHANNELS, FRAMES = 2, 3


class Recorder(torch.nn.Module):
    """Replacement of the first convolution that records its input."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        self.frames = frames
        return frames[:, :-1]


def fusion(**options) -> HistoryFusion:
    module = HistoryFusion(GRID, CHANNELS, FRAMES, **options)
    module.time_conv = Recorder()
    return module


def rig_at(*xs: float, bda: torch.Tensor | None = None) -> CameraRig:
    """Vehicles moved by x metres along their x axis."""
    eye = torch.eye(4, dtype=torch.float64)
    poses = eye.repeat(len(xs), 1, 1)
    poses[:, 0, 3] = torch.tensor(xs)
    one = eye.expand(len(xs), 1, 4, 4)
    intrinsics = torch.eye(3).double().expand(len(xs), 1, 3, 3)
    bda = eye.expand(len(xs), 4, 4) if bda is None else bda.expand(len(xs), 4, 4)
    return CameraRig(intrinsics, one, intrinsics, bda, poses)


def dot(x: int, y: int, value: float = 1.0) -> torch.Tensor:
    """(C, 1, 16, 16) with one cell set; with lower corner x, y, metres."""
    volume = torch.zeros(CHANNELS, 1, 16, 16)
    volume[:, :, y + 8, x + 8] = value
    return volume


def position(sequence: str, index: int) -> SequencePosition:
    return SequencePosition(
        sequence, index, 1.5e9 + 77.25 + 0.5 * index
    )  # more digits than float32 has


def seen(module: HistoryFusion, batch: int = 1) -> torch.Tensor:
    """(B, 1 + T, C + 1, 1, 16, 16) concatenated maps and ages."""
    return module.time_conv.frames.unflatten(0, (batch, 1 + FRAMES))


def test_a_static_object_has_a_constant_position():
    """The vehicle moves 2 m per frame towards an object 6 m ahead."""
    module = fusion()
    for index in range(5):
        volume = dot(6 - 2 * index, 1)[None]
        module(volume, [position('a', index)], rig_at(2.0 * index))
        frames = seen(module)
        torch.testing.assert_close(
            frames[:, :, :-1], volume.unsqueeze(1).expand(-1, 4, -1, -1, -1, -1)
        )
        ages = frames[0, :, -1, 0, 0, 0].tolist()
        assert (
            ages
            == [[0, 0, 0, 0], [0, 0.5, 0.5, 0.5], [0, 0.5, 1, 1], [0, 0.5, 1, 1.5]][min(index, 3)]
        )


MIRROR = torch.diag(torch.tensor([1.0, -1, 1, 1])).double()
QUARTER = torch.tensor([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]).double()


@pytest.mark.parametrize(
    ('bda', 'cell', 'before'),
    [
        (MIRROR, (2, -3), (4, 2)),  # [2, 3) in y becomes (-3, -2]
        (QUARTER, (-3, 2), (4, 2)),  # and with x in its place after a quarter turn to the left
    ],
)
def test_maps_are_warped_between_augmentations(bda, cell, before):
    """The vehicle moves 2 m towards an object; another frame is augmented each time."""
    module = fusion()
    module(dot(*before)[None], [position('a', 0)], rig_at(0.0))
    module(dot(*cell)[None], [position('a', 1)], rig_at(2.0, bda=bda))
    torch.testing.assert_close(seen(module)[:, 1, :-1], dot(*cell)[None])
    module(dot(*before)[None], [position('a', 2)], rig_at(0.0))
    maps = seen(module)[0, 1:3, :-1]
    torch.testing.assert_close(maps, dot(*before).expand(2, -1, -1, -1, -1))


def test_testing_does_not_change_the_history_of_training():
    module = fusion()
    module(dot(4, 0)[None], [position('a', 0)], rig_at(0.0))
    module.eval()
    module(dot(1, 1)[None], [position('a', 0)], rig_at(0.0))
    module(dot(1, 1)[None], [position('a', 1)], rig_at(0.0))
    module.train()
    module(dot(2, 0)[None], [position('a', 1)], rig_at(2.0))
    torch.testing.assert_close(seen(module)[0, 1, :-1], dot(2, 0))


def test_a_new_sequence_has_no_history():
    module = fusion()
    for index in range(3):
        module(dot(0, 0)[None], [position('a', index)], rig_at(2.0 * index))
    module(dot(3, 3)[None], [position('b', 0)], rig_at(900.0))
    frames = seen(module)
    torch.testing.assert_close(frames[0, :, :-1], dot(3, 3).expand(4, -1, -1, -1, -1))
    assert frames[:, :, -1].abs().max() == 0


def test_samples_of_a_batch_are_independent_of_their_order():
    together, alone = fusion(), fusion()
    maps = torch.randn(3, 2, CHANNELS, 1, 16, 16)
    for index in range(3):
        names = ['a', 'b'] if index != 1 else ['b', 'a']
        order = [0, 1] if index != 1 else [1, 0]
        xs = [[2.0 * index, 50 + 3.0 * index][place] for place in order]
        both = together(maps[index, order], [position(n, index) for n in names], rig_at(*xs))
        one = alone(maps[index, :1], [position('a', index)], rig_at(2.0 * index))
        torch.testing.assert_close(seen(together, 2)[names.index('a')], seen(alone)[0])
        assert both.shape == (2, *one.shape[1:])


def test_history_has_constant_size_and_no_gradients():
    module = fusion()
    sizes = []
    for index in range(12):
        volume = torch.randn(1, CHANNELS, 1, 16, 16, requires_grad=True)
        fused = module(volume, [position(f's{index // 4}', index % 4)], rig_at(2.0 * index))
        (history,) = module._histories[module.training].values()
        assert not history.maps.requires_grad
        sizes.append(history.maps.untyped_storage().nbytes())
        fused.sum().backward()
        assert volume.grad is not None
    assert len(set(sizes)) == 1 and len(module._histories[module.training]) == 1


def test_shuffled_samples_are_an_error():
    module = fusion()
    module(dot(0, 0)[None], [position('a', 0)], rig_at(0.0))
    for wrong in (position('a', 2), position('b', 1), position('a', 4)):
        with pytest.raises(
            ValueError, match='expected frame 0 of sequence .* or the one after its latest'
        ):
            module(dot(0, 0)[None], [wrong], rig_at(1.0))
    module(
        dot(0, 0)[None], [position('a', 1)], rig_at(1.0)
    )  # a rejected sample does not change the history
    with pytest.raises(ValueError, match='frame 1 before it'):
        module(dot(0, 0)[None], [position('a', 1)], rig_at(1.0))
    with pytest.raises(ValueError, match='expected 2 samples of different sequences'):
        module(torch.cat([dot(0, 0)[None]] * 2), [position('a', 2), position('a', 3)], rig_at(1, 2))


def test_several_cells_in_height():
    module = HistoryFusion(replace(GRID, z=(-2.0, 2.0, 1.0)), CHANNELS, FRAMES)
    module.time_conv = Recorder()
    volume = torch.randn(1, CHANNELS, 4, 16, 16)
    module(volume, [position('a', 0)], rig_at(0.0))
    up = rig_at(0.0)
    up = replace(up, ego2global=up.ego2global.clone())
    up.ego2global[0, 2, 3] = 1.0  # one metre up: objects are one metre lower
    module(volume, [position('a', 1)], up)
    torch.testing.assert_close(seen(module)[:, 1, :-1, :3], volume[:, :, 1:])
