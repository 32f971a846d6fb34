"""Full-size detectors through their files on a real keyframe, for two cars."""

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip('onnxruntime')
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos  # noqa: E402
from hybrid_depth.export import OnnxBEVDet  # noqa: E402
from hybrid_depth.export.calibration import Calibration  # noqa: E402
from hybrid_depth.export.detector import export_detector  # noqa: E402
from hybrid_depth.export.example_scene import Scene, onnx_outputs, torch_outputs  # noqa: E402
from hybrid_depth.export.report import ExportError, relative_errors  # noqa: E402
from hybrid_depth.inference.bev import init_bev_model, keyframes  # noqa: E402
from tests.conftest import ROOT  # noqa: E402
from tests.golden.bevdet import keyframe  # noqa: E402

CONFIGS = {
    'bevdet_r50': 'bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py',
    'bevdet_r50_depth': 'bevdet/bevdet_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py',
    'bevdet_hybrid': 'bevdet_hybrid.py',
    'fbbev_r50': 'fbbev/fbbev_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py',
}


def another_car(car: Calibration) -> Calibration:
    """Cameras 30 cm higher, turned by 2 degrees, of a tenth less focal length."""
    turn, cos, sin = np.eye(4), np.cos(0.035), np.sin(0.035)
    turn[:2, :2], turn[2, 3] = [[cos, -sin], [sin, cos]], 0.3
    return replace(car, cam2ego=turn @ car.cam2ego, cam2img=car.cam2img * [[0.9], [0.9], [1]])


@pytest.mark.slow
@pytest.mark.parametrize('name', CONFIGS)
def test_two_calibrations_with_one_file(name, real_data, tmp_path):
    torch.manual_seed(0)
    root = keyframe(real_data)
    create_nuscenes_infos(root, 'v1.0-mini', out=tmp_path)
    with pytest.warns(UserWarning, match='random weights'):
        model = init_bev_model(ROOT / 'configs' / CONFIGS[name])
    report = export_detector(model, tmp_path / 'model.onnx')
    print(report)
    inputs = keyframes(model, tmp_path / 'nuscenes_infos_train.pkl', root)[0]['inputs']
    images = inputs['img'].numpy()[None].astype(np.float32) / 255
    car = Calibration.of({key: value.numpy() for key, value in inputs['rig'].items()})
    detector = OnnxBEVDet(tmp_path / 'model.onnx')
    maps = []
    for calibration in (car, another_car(car)):
        scene = Scene(images, calibration)
        maps.append(onnx_outputs(detector, scene))
        errors = relative_errors(maps[-1], torch_outputs(model, scene), 'fp32')
        print({key: f'{error:.1e}' for key, error in errors.items()})
        assert max(errors.values()) < 1e-4
    with pytest.raises(ExportError):  # the cars differ
        relative_errors(*maps, 'fp32')
