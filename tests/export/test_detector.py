"""A toy detector through its file."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

pytest.importorskip('onnxruntime')
import onnx  # noqa: E402
from mmengine.config import Config  # noqa: E402

from hybrid_depth.errors import ConfigError, DamagedFileError, DepthDataError  # noqa: E402
from hybrid_depth.export import OnnxBEVDet  # noqa: E402
from hybrid_depth.export.box_decoding import Detections  # noqa: E402
from hybrid_depth.export.detector import export_detector  # noqa: E402
from hybrid_depth.export.example_scene import (  # noqa: E402
    Scene,
    example_scene,
    onnx_outputs,
    positions,
    torch_outputs,
)
from hybrid_depth.export.onnx_bevdet import detections  # noqa: E402
from hybrid_depth.export.report import relative_errors  # noqa: E402
from hybrid_depth.export.tested_detector import OnnxDetector  # noqa: E402
from hybrid_depth.export.writer import ExportError  # noqa: E402
from hybrid_depth.geometry import CameraRig  # noqa: E402
from hybrid_depth.inference.bev import infer_sample, init_bev_model, keyframes  # noqa: E402
from tests.conftest import ROOT  # noqa: E402
from tests.export.numpy_alone import run_alone  # noqa: E402


def lively(config: str | Config):
    """Detector of random weights, with batch norms that do not damp and scores of all sizes."""
    torch.manual_seed(0)
    config = ROOT / f'configs/toy/{config}.py' if isinstance(config, str) else config
    with pytest.warns(UserWarning, match='random weights'):
        model = init_bev_model(config)
    for task in model.pts_bbox_head.task_heads:
        task.heatmap[-1].weight.data *= 30
    return model


def assert_same_boxes(found: Detections, expected: Detections) -> None:
    """Equal boxes; those of equal score up to rounding may change places, and one of each hundred
    may be another: scores beside the limit and overlaps beside the threshold round both ways."""
    assert len(found.scores) == len(expected.scores) > 50
    rows = [np.column_stack((x.boxes, 10 * x.labels, x.scores)) for x in (found, expected)]
    distance = np.abs(rows[0][:, None] - rows[1][None]).max(-1)
    differing = [(distance.min(axis) > 1e-3).mean() for axis in (0, 1)]
    assert max(differing) <= 0.01


@pytest.fixture(scope='module')
def plain(tmp_path_factory):
    """(model, file, report) of the plain detector."""
    model, path = lively('bevdet_plain_toy'), tmp_path_factory.mktemp('onnx') / 'plain.onnx'
    return model, path, export_detector(model, path)


def test_report_of_standard_operators(plain):
    _, path, report = plain
    model = onnx.load(path)
    assert [(each.domain, each.version) for each in model.opset_import] == [('', 18)]
    assert sum(report.operators.values()) == len(model.graph.node)
    assert report.operators['ScatterElements'] == 55  # one a depth bin
    assert max(report.errors.values()) < 1e-5
    assert report.megabytes == pytest.approx(path.stat().st_size / 1e6)
    assert 'ScatterElements 55' in str(report) and 'onnxruntime' in str(report)


def test_one_file_serves_two_calibrations_and_any_batch(plain):
    model, path, _ = plain
    detector = OnnxBEVDet(path)
    scene, outputs = example_scene(detector.spec, 6), []
    for count, car in ((1, 0), (1, 1), (3, 0)):
        images = np.repeat(scene.images[:1], count, 0)
        given = Scene(images, scene.calibration.sample(car).repeat(count))
        outputs.append(onnx_outputs(detector, given))
        errors = relative_errors(outputs[-1], torch_outputs(model, given), 'fp32')
        assert max(errors.values()) < 1e-5
    first, second, third = (each['heatmap_0'] for each in outputs)
    assert np.abs(first - second).max() > 1e-3, 'the calibration matters'
    np.testing.assert_allclose(third, np.repeat(first, 3, 0), atol=1e-5)


def test_boxes_without_torch(plain, tmp_path):
    code = (
        'from hybrid_depth.export import OnnxBEVDet\n'
        'images = inputs.pop("images")\n'
        'found = OnnxBEVDet(file)(images, inputs)[0].boxes'
    )
    detector = OnnxBEVDet(plain[1])
    scene = example_scene(detector.spec, 6).first()
    car = dict(cam2img=scene.calibration.cam2img, cam2ego=scene.calibration.cam2ego)
    found = run_alone(code, plain[1], tmp_path, images=scene.images, **car)
    np.testing.assert_allclose(found, detector(scene.images, car)[0].boxes, rtol=1e-4, atol=1e-4)


def test_boxes_of_a_keyframe_are_those_of_the_model(plain, toy_nuscenes, toy_infos):
    model, path, _ = plain
    packed = keyframes(model, toy_infos / 'nuscenes_infos_val.pkl', toy_nuscenes)[0]
    inputs = packed['inputs']
    rig = {name: value.numpy() for name, value in inputs['rig'].items()}
    (found,) = OnnxBEVDet(path)(inputs['img'].numpy(), rig)
    packed['data_samples'].set_metainfo(dict(lidar2boxes=np.eye(4)))  # boxes in the ego frame
    expected = infer_sample(model, packed)
    boxes = expected.pred_instances_3d
    tensors = boxes.bboxes_3d.tensor, boxes.scores_3d, boxes.labels_3d
    assert_same_boxes(found, Detections(*(x.numpy() for x in tensors), found.depth))
    np.testing.assert_allclose(found.depth, expected.pred_depth.data.numpy(), atol=1e-3)


def test_hybrid_depth_net_and_its_ground_plane(tmp_path):
    model = lively('bevdet_hybrid_toy')
    report = export_detector(model, tmp_path / 'a.onnx')
    assert max(report.errors.values()) < 5e-5
    spec = OnnxBEVDet(tmp_path / 'a.onnx').spec
    prior = spec.geometry(example_scene(spec, 6).calibration)['prior_depth']
    assert (prior > 0).any() and (prior == 0).any()


@pytest.mark.parametrize('align', ['lift', 'bev'])
def test_earlier_key_frames(align, tmp_path):
    """Two of them; a scene begins with copies of its first frame. Then a second scene."""
    config = Config.fromfile(ROOT / 'configs/toy/bevdet4d_toy.py')
    config.model.temporal.update(num_adj=2, align=align)
    config.model.img_bev_encoder_backbone.in_channels = 3 * 32
    model = lively(config)
    report = export_detector(model, tmp_path / 'a.onnx', cameras=3)
    assert max(report.errors.values()) < 1e-5
    detector = OnnxBEVDet(tmp_path / 'a.onnx')
    scene = example_scene(detector.spec, 3)
    video = [*scene.earlier[::-1], (scene.images, scene.calibration)]
    for frames in ([*video, video[0]], video[1:]):
        detector.reset()
        for place, current in enumerate(frames):
            found = detector(*current)
            before = [*frames[:place][::-1], current, current][:2]
            expected = torch_outputs(model, Scene(*current, before))
            np.testing.assert_allclose(found[0].depth, expected['depth'][0], rtol=1e-4)
            boxes = detections(detector.spec.tasks, expected)
            assert [len(each.scores) for each in found] == [len(each.scores) for each in boxes]
            assert_same_boxes(found[1], boxes[1])


def test_half_precision(plain, tmp_path):
    model, full, _ = plain
    report = export_detector(model, tmp_path / 'half.onnx', precision='fp16')
    assert report.megabytes < 0.65 * full.stat().st_size / 1e6
    assert 1e-5 < max(report.errors.values()) < 2e-2


def test_a_file_of_other_weights_is_noticed(plain, tmp_path, monkeypatch):
    model, _, _ = plain
    changed = lively('bevdet_plain_toy')
    changed.img_neck.fpn_convs[0].conv.weight.data *= 1.1
    monkeypatch.setattr(
        'hybrid_depth.export.detector.torch_outputs',
        lambda _, *given: torch_outputs(changed, *given),
    )
    with pytest.raises(ExportError, match='relative errors'):
        export_detector(model, tmp_path / 'a.onnx')
    assert not (tmp_path / 'a.onnx').exists()


def test_wrong_images_and_cameras(plain):
    detector = OnnxBEVDet(plain[1])
    scene = example_scene(detector.spec, 6)
    images, cars = scene.images, scene.calibration
    with pytest.raises(DepthDataError, match='resized to the network size'):
        detector(images[..., ::2], cars)
    with pytest.raises(DepthDataError, match='uint8 or float'):
        detector(images.astype(np.int32), cars)
    five = {name: value[:, :5] for name, value in vars(cars).items() if name.startswith('cam')}
    with pytest.raises(DepthDataError, match='expected ranks of shape'):
        detector(images, five)
    eight_bit = (images * 255).astype(np.uint8)
    same = detector.run(eight_bit, cars), detector.run(eight_bit / 255, cars)
    np.testing.assert_allclose(*(each['depth'] for each in same), rtol=1e-4)


def test_files_that_are_none_of_ours(plain, tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        OnnxBEVDet(tmp_path / 'none.onnx')
    (tmp_path / 'text.onnx').write_text('not a model')
    with pytest.raises(DamagedFileError, match='expected an ONNX file'):
        OnnxBEVDet(tmp_path / 'text.onnx')
    model = onnx.load(plain[1])
    kept = model.metadata_props[0].value
    for text in ('', '[]', '{"kind": "depth", "version": 1}', '{' * 9999, kept[:-2] + ', "x": 1}}'):
        model.metadata_props[0].value = text
        onnx.save(model, tmp_path / 'a.onnx')
        with pytest.raises(DamagedFileError, match='hybrid-depth export'):
            OnnxBEVDet(tmp_path / 'a.onnx')


def in_test_loop(tested: OnnxDetector, images, calibration, samples):
    arrays = {each.name: getattr(calibration, each.name) for each in fields(CameraRig)}
    rig = CameraRig(**{name: torch.from_numpy(array) for name, array in arrays.items()})
    for sample in samples:
        sample.set_metainfo(dict(lidar2boxes=np.eye(4)))
    return tested(dict(imgs=torch.from_numpy(images), rig=rig), samples)


def test_recurrent_fusion_over_two_scenes(tmp_path):
    """FB-BEV with history: four key frames of two cars, then another scene begins."""
    model = lively('fbbev_hybrid_history_toy')
    report = export_detector(model, tmp_path / 'a.onnx', cameras=2)
    assert max(report.errors.values()) < 5e-5
    assert report.operators['GridSample'] == 3  # two of the refinement, one of the history
    detector = OnnxBEVDet(tmp_path / 'a.onnx')
    tested = OnnxDetector(str(tmp_path / 'a.onnx'))
    scene = example_scene(detector.spec, 2)
    video = [*scene.earlier[::-1], (scene.images, scene.calibration)]
    for length in (4, 2):
        detector.reset()
        frames = []
        for place, (images, cars) in enumerate(video[:length]):
            found = detector.run(images, cars, frames)
            frames = [detector.frame(found, cars)]
            samples = in_test_loop(tested, images, cars, positions(cars, place))
            expected = detector.decode(found)
            for each, sample, same in zip(detector(images, cars), samples, expected, strict=True):
                np.testing.assert_allclose(each.scores, same.scores)
                scores = sample.pred_instances_3d.scores_3d
                np.testing.assert_allclose(scores, same.scores, atol=1e-5)
        expected = torch_outputs(model, Scene(images, cars, video[: length - 1][::-1]))
        assert max(relative_errors(found, expected, 'fp32').values()) < 5e-5
        alone = detector.run(images, cars)['heatmap_0']
        assert np.abs(alone - found['heatmap_0']).max() > 1e-3, 'the history matters'
    with pytest.raises(DepthDataError, match='frame 3 of car 0 without the one before'):
        in_test_loop(tested, images, cars, positions(cars, 3))
    for wrong in (video[0][1], replace(cars, time=np.full(2, np.nan))):
        with pytest.raises(DepthDataError, match='the time of each key frame'):
            detector(images, wrong)


def test_history_of_volumes_has_no_export(tmp_path):
    config = Config.fromfile(ROOT / 'configs/toy/fbbev_hybrid_history_toy.py')
    config.model.img_view_transformer.grid.z = (-5.0, 3.0, 4.0)
    config.model.img_bev_encoder_backbone.in_channels *= 2
    with pytest.raises(ConfigError, match='a grid of one level'):
        export_detector(lively(config), tmp_path / 'a.onnx')


@pytest.mark.parametrize('head', ['boxes', 'nms'])
def test_boxes_from_inside_the_file(head, plain, tmp_path):
    model, path, _ = plain
    report = export_detector(model, tmp_path / 'a.onnx', head=head)
    assert report.errors.keys() == {'depth', 'scores'}
    scene = example_scene(OnnxBEVDet(path).spec, 6)
    outside = OnnxBEVDet(path)(scene.images, scene.calibration)
    inside = OnnxBEVDet(tmp_path / 'a.onnx')(scene.images, scene.calibration)
    for found, expected in zip(inside, outside, strict=True):
        assert_same_boxes(found, expected)
