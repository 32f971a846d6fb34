"""Calibration of a depth model whose depth is that of the toy world in an unknown unit."""

import re

import numpy as np
import pytest
import torch
from PIL import Image

from hybrid_depth.datasets.calibrated_frames import info_clips, kitti_clips
from hybrid_depth.datasets.depth_map_files import read_depth_png
from hybrid_depth.datasets.semantic_labels import SemanticLabels
from hybrid_depth.depth.estimators.base import DepthEstimator
from hybrid_depth.depth.estimators.calibrated import CalibratedDepth
from hybrid_depth.errors import ConfigError, DamagedFileError, DepthDataError
from hybrid_depth.geometry import DepthMap, GroundPlane
from hybrid_depth.inference.calibrate import calibrate, write_calibrated
from hybrid_depth.inference.depth import infer_depth
from hybrid_depth.inference.known_distances import GroundHeight, MeasuredPoints, VehicleMotion
from hybrid_depth.rigs.importer import import_rig
from hybrid_depth.toy_world import open_toy_world
from hybrid_depth.toy_world.camera import depth_map
from hybrid_depth.toy_world.rig_layout import SENSORS
from hybrid_depth.toy_world.world import KEYFRAME_SECONDS

UNIT = 5.0  # metres


class Lookup(DepthEstimator):
    """Depth in files, in another unit, of the images that it is given."""

    def __init__(self, depth_of, law=lambda z: z / UNIT):
        super().__init__(None, None)
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.depth_of, self.law, self.image_size = depth_of, law, None

    def predict(self, frames, cameras=None, memory=None):
        maps = [self.depth_of[key(image)] for image in frames[0]]
        depth = torch.from_numpy(np.stack(maps))[:, None].clamp(min=1e-3)
        return DepthMap(1 / self.law(depth), 'disparity')


def key(image):
    """Of an image, path or tensor."""
    if not isinstance(image, torch.Tensor):
        image = torch.from_numpy(np.array(Image.open(image).convert('RGB'))).permute(2, 0, 1) / 255
    return round(float((image[:, ::3, ::5].double() * 255).sum()))


@pytest.fixture(scope='module')
def kitti_model(toy_kitti):
    clips = kitti_clips(toy_kitti, GroundPlane.from_angles(1.65))
    frames = [frame for clip in clips for frame in clip]
    return Lookup({key(x.image): read_depth_png(x.truth).astype(np.float32) for x in frames}), clips


def test_height_above_the_ground_with_and_without_labels(toy_kitti, kitti_model):
    model, clips = kitti_model
    labels = SemanticLabels(toy_kitti / 'semantic', toy_kitti)
    for used, tolerance in ((labels, 0.003), (None, 0.03)):
        (found,) = calibrate(model, clips, GroundHeight(), labels=used)
        assert found.gain == pytest.approx(UNIT, rel=tolerance)
        assert found.spread < 0.02 and found.images > len(clips[0])
        assert found.heights == (1.65, 1.65) and found.far <= 20
    half = [[*clip] for clip in clips]
    (other,) = calibrate(model, half, GroundHeight(), labels=labels, every=4)
    assert other.images < found.images and other.gain == pytest.approx(UNIT, rel=0.01)


def test_cameras_of_an_own_vehicle(toy_vehicle, tmp_path):
    """Imported: three focal lengths and heights, by the ground; without poses no motion."""
    (summary, _) = import_rig(toy_vehicle / 'rig.yaml', tmp_path)
    clips = info_clips(summary.path, tmp_path)
    _, world = open_toy_world(toy_vehicle)
    scene, depth_of = world.scene(0), {}
    for (_, name), clip in clips.items():
        sensor = SENSORS[name]
        for index, frame in enumerate(clip):
            time = index * KEYFRAME_SECONDS + sensor.delay
            pose = scene.ego2world(time) @ sensor.cam2ego()
            depth = depth_map(scene, pose, sensor.cam2img(world), sensor.size(world), time)
            depth_of[key(frame.image)] = np.minimum(depth, 200.0).astype(np.float32)
    model = Lookup(depth_of)
    found = calibrate(model, list(clips.values()), GroundHeight())
    heights = sorted({sensor.position[2] for sensor in SENSORS.values()})
    assert sorted(x.heights[0] for x in found) == pytest.approx(heights)
    for calibration in found:
        assert calibration.gain == pytest.approx(UNIT, rel=0.03)
    text = (toy_vehicle / 'rig.yaml').read_text()
    for line in ('poses:', 'boxes:'):
        text = re.sub(f'^{line}.*$', '', text, flags=re.MULTILINE)
    (tmp_path / 'rig.yaml').write_text(f'root: {toy_vehicle}\n{text}')
    (summary, _) = import_rig(tmp_path / 'rig.yaml')
    with pytest.raises(DepthDataError, match='expected the pose of the vehicle'):
        calibrate(model, list(info_clips(summary.path, tmp_path).values()), VehicleMotion())


def test_measured_points_of_a_law_with_an_offset(toy_kitti, kitti_model, tmp_path):
    model, clips = kitti_model
    model = Lookup(model.depth_of, lambda z: 1 / (0.7 / z + 0.02))
    rows = ['image, u, v, metres']
    for frame in clips[0][:2]:
        depth = model.depth_of[key(frame.image)]
        name = '/'.join(frame.image.parts[-2:])
        rows += [f'{name}, {u}, {v}, {depth[v, u]}' for u, v in ((30, 45), (80, 35), (110, 30))]
    file = tmp_path / 'points.csv'
    file.write_text('\n'.join([*rows, 'other.png, 1, 2, 3']))
    points = MeasuredPoints(file)
    (found,) = calibrate(model, clips[:1], points, 'affine')
    assert found.points == 6 and found.images == 2 and points.unused == ['other.png']
    depth = torch.tensor([4.0, 20.0, 60.0])
    torch.testing.assert_close(found(model.law(depth)), depth, rtol=1e-3, atol=0)
    file.write_text('\n'.join([rows[0], f'{clips[0][0].image.name}, 30, 999, 5']))
    with pytest.raises(DepthDataError, match='expected a pixel inside'):
        calibrate(model, clips[:1], MeasuredPoints(file))


@pytest.mark.parametrize(
    'text', ['a,b\n1,2', 'image,u,v,metres\na.png,1,2,x', 'image,u,v,metres\na,1,2,-3']
)
def test_files_of_other_columns_or_values(text, tmp_path):
    (tmp_path / 'p.csv').write_text(text)
    with pytest.raises(DamagedFileError, match='p.csv'):
        MeasuredPoints(tmp_path / 'p.csv')


def test_frames_without_poses_have_no_motion(kitti_model):
    model, clips = kitti_model
    with pytest.raises(DepthDataError, match='expected the pose of the vehicle'):
        calibrate(model, clips, VehicleMotion())


def test_a_calibrated_checkpoint_predicts_metres_for_its_camera_only(
    toy_kitti, kitti_model, tmp_path
):
    model, clips = kitti_model
    found = calibrate(
        model, clips, GroundHeight(), labels=SemanticLabels(toy_kitti / 'semantic', toy_kitti)
    )
    weights = tmp_path / 'w.pth'
    torch.save(model.state_dict(), weights)
    write_calibrated(model, weights, found, tmp_path / 'metric.pth')
    content = torch.load(tmp_path / 'metric.pth', weights_only=True)
    assert set(content['state_dict']) == {'weight'}
    metric = CalibratedDepth.from_meta(model, content['meta'], 'metric.pth')
    frame = clips[0][0]
    (result,) = infer_depth(metric, [frame.image], cam2img=frame.cam2img)
    truth = read_depth_png(frame.truth)
    assert result.kind == 'metric'
    assert np.median(result.depth[truth > 0] / truth[truth > 0]) == pytest.approx(1, rel=0.003)
    other = frame.cam2img.copy()
    other[0, 0] *= 1.05
    with pytest.raises(ConfigError, match='focal length of .* image widths'):
        infer_depth(metric, [frame.image], cam2img=other)
    with pytest.warns(UserWarning, match='without intrinsics'):
        infer_depth(metric, [frame.image])
    with pytest.raises(ConfigError, match='calibrated already|without calibration'):
        calibrate(metric, clips, GroundHeight())
    focal = found[0].focal
    metric.require_heights([1.65, 1.75], [focal, focal])
    with pytest.raises(ConfigError, match='1.65 to 1.65 m above the ground.*got 1.40 m'):
        metric.require_heights([1.4], [focal])
    content['meta']['depth_calibration']['model'] = 'ManyDepth'
    with pytest.raises(ConfigError, match='ManyDepth'):
        CalibratedDepth.from_meta(model, content['meta'], 'metric.pth')
