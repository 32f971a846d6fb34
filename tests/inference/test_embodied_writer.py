"""Planes of a drive in the files that are written, with fits that are given."""

import json

import numpy as np
import pytest
from PIL import Image

from hybrid_depth.datasets.calibrated_frames import CalibratedFrame
from hybrid_depth.datasets.depth_map_files import read_depth_png
from hybrid_depth.geometry import EmbodiedDepth, GroundPlane, GroundPlaneFit, smooth_planes
from hybrid_depth.geometry.road_surface import nearest_prior
from hybrid_depth.inference.embodied_writer import EmbodiedWriter
from hybrid_depth.inference.plane_fitting import PlaneFitting

NOMINAL = GroundPlane.from_angles(1.65)
PRIOR = nearest_prior(GroundPlaneFit.from_calibration(NOMINAL))
CAMERA = np.array([[60.0, 0, 31.5], [0, 60.0, 11.5], [0, 0, 1]])
PITCHES = (0.0, 0.3, 0.1, 0.2, None, 0.4)  # degrees; one frame measures nothing


class GivenFits(PlaneFitting):
    def __call__(self, clip, index, labels, prior):
        self.calls.append(index)
        if PITCHES[index] is None:
            return prior
        plane = GroundPlane.from_angles(1.65, np.radians(PITCHES[index])).inverse.numpy()
        return PRIOR.update(plane, PRIOR.covariance / 9, 50)


@pytest.fixture
def writer(tmp_path):
    """Writer of six grey images, whose `calls` and `read` count fits and labels."""
    root = tmp_path / 'images'
    root.mkdir()
    for index in range(6):
        Image.new('RGB', (64, 32), (index, 0, 0)).save(root / f'{index}.png')
    fitting = GivenFits(['motion'], root, gaps=(1, 3))
    object.__setattr__(fitting, 'calls', [])
    read = []

    def labels(image, size):
        read.append(image.stem)
        return np.zeros(size[::-1], np.uint8)

    made = EmbodiedWriter(tmp_path / 'out', root, EmbodiedDepth(fill=False), labels, None, fitting)
    object.__setattr__(made, 'read', read)
    return made


def clip_of(writer):
    return [CalibratedFrame(x, CAMERA, NOMINAL) for x in sorted(writer.root.iterdir())]


def planes_of(writer):
    return json.loads((writer.out / 'planes.json').read_text())


def test_depth_is_that_of_the_planes_of_the_whole_clip(writer):
    assert sum(writer.write([clip_of(writer)], {})) == 5  # planes that were measured
    assert writer.fitting.calls == [*range(6)] and writer.read == [*'012345']
    fits = [GivenFits.__call__(writer.fitting, [], k, None, PRIOR) for k in range(6)]
    expected = smooth_planes(fits, [PRIOR] * 6, 3)
    for (name, plane), smooth in zip(planes_of(writer).items(), expected, strict=True):
        np.testing.assert_allclose(plane['inverse'], smooth.inverse, rtol=1e-9)
        assert plane['measurements'] == smooth.used
        rays = np.array([[31.5, 31, 1]]) @ np.linalg.inv(CAMERA).T
        depth = read_depth_png(writer.out / 'depth' / name)
        np.testing.assert_allclose(depth[31, 31], 1 / (rays @ smooth.inverse), rtol=0.01)
    pitches = [x['pitch_degrees'] for x in planes_of(writer).values()]
    assert 0.05 < pitches[0] < 0.2 and 0.15 < pitches[4] < 0.35  # neither has it from its own fit


def test_a_run_that_was_killed_after_the_fits_does_not_repeat_them(writer):
    steps = writer.write([clip_of(writer)], {})
    assert [next(steps) for _ in range(6)] == [True] * 4 + [False, True]
    steps.close()
    assert not (writer.out / 'depth').exists()
    steps = list(writer.write([clip_of(writer)], {}))
    assert sum(steps) == 5 and len(steps) == 12
    assert writer.fitting.calls == [*range(6)] and len(planes_of(writer)) == 6
    times = [x.stat().st_mtime_ns for x in sorted((writer.out / 'depth').iterdir())]
    writer.read.clear()
    list(writer.write([clip_of(writer)], {}))
    assert writer.read == []
    assert times == [x.stat().st_mtime_ns for x in sorted((writer.out / 'depth').iterdir())]


def test_a_changed_frame_changes_the_planes_of_its_neighbours(writer, monkeypatch):
    list(writer.write([clip_of(writer)], {}))
    before = planes_of(writer)
    Image.new('RGB', (64, 32), (9, 9, 9)).save(writer.root / '1.png')
    monkeypatch.setitem(globals(), 'PITCHES', (0.0, 1.0, 0.1, 0.2, None, 0.4))
    writer.fitting.calls.clear()
    list(writer.write([clip_of(writer)], {}))
    assert writer.fitting.calls == [1]
    after = planes_of(writer)
    changed = [after[x]['pitch_degrees'] - before[x]['pitch_degrees'] for x in sorted(after)]
    assert min(changed) > 0.01 and changed[1] > 0.04
