"""Sensors of a nuScenes vehicle, with the calibration of scene-0061."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..datasets.poses import quaternion_to_matrix
from .rig_change import RigChange

#: Image size of the intrinsics below.
_FULL_SIZE = (1600, 900)
LIDAR_ELEVATIONS = np.radians(np.linspace(-30.67, 10.67, 32))
LIDAR_AZIMUTH_STEPS = 1084
LIDAR_RANGE = (0.5, 100.0)


@dataclass(frozen=True)
class Sensor:
    """Sensor of the ego vehicle.

    Attributes:
        channel: nuScenes channel name.
        translation: (3,) position in the ego frame, metres.
        rotation: quaternion (w, x, y, z), sensor to ego.
        focal, centre: pinhole intrinsics at 1600 x 900, pixels; None for the LiDAR.
        delay: exposure time after the LiDAR sweep, microseconds.
    """

    channel: str
    translation: tuple[float, float, float]
    rotation: tuple[float, float, float, float]
    focal: float | None = None
    centre: tuple[float, float] | None = None
    delay: int = 0

    def sensor2ego(self) -> np.ndarray:
        """(4, 4) sensor frame to ego frame."""
        matrix = np.eye(4)
        matrix[:3, :3] = quaternion_to_matrix(self.rotation)
        matrix[:3, 3] = self.translation
        return matrix

    def cam2img(self, size: tuple[int, int]) -> np.ndarray:
        """(3, 3) intrinsics for an image of (width, height) pixels."""
        sx, sy = size[0] / _FULL_SIZE[0], size[1] / _FULL_SIZE[1]
        # Integer coordinates are pixel centres in both sizes, hence the half-pixel shift.
        cx, cy = (self.centre[0] + 0.5) * sx - 0.5, (self.centre[1] + 0.5) * sy - 0.5
        return np.array([[self.focal * sx, 0, cx], [0, self.focal * sy, cy], [0, 0, 1]])


LIDAR = Sensor(
    'LIDAR_TOP',
    (0.943713, 0.0, 1.84023),
    (0.7077955119163518, -0.006492242056004365, 0.010646214713995808, -0.7063073142877817),
)
CAMERAS = (
    Sensor(
        'CAM_FRONT_LEFT',
        (1.52387798135, 0.494631336551, 1.50932822144),
        (0.6757265034669446, -0.6736266522251881, 0.21214015046209478, -0.21122827103904068),
        1272.5979470598488,
        (826.6154927353808, 479.75165386361925),
        -43107,
    ),
    Sensor(
        'CAM_FRONT',
        (1.70079118954, 0.0159456324149, 1.51095763913),
        (0.4998015430569128, -0.5030316162024876, 0.4997798114386805, -0.49737083824542755),
        1266.417203046554,
        (816.2670197447984, 491.50706579294757),
        -35491,
    ),
    Sensor(
        'CAM_FRONT_RIGHT',
        (1.5508477543, -0.493404796419, 1.49574800619),
        (0.2060347966337182, -0.2026940577919598, 0.6824507824531167, -0.6713610884174485),
        1260.8474446004698,
        (807.968244525554, 495.3344268742088),
        -27612,
    ),
    Sensor(
        'CAM_BACK_LEFT',
        (1.03569100218, 0.484795032713, 1.59097014818),
        (0.6924185592174665, -0.7031619420114925, -0.11648342771943819, 0.11203317912370753),
        1256.7414812095406,
        (792.1125740759628, 492.7757465151356),
        -528,
    ),
    Sensor(
        'CAM_BACK',
        (0.0283260309358, 0.00345136761476, 1.57910346144),
        (0.5037872666382278, -0.49740249788611096, -0.4941850223835201, 0.5045496097725578),
        809.2209905677063,
        (829.2196003259838, 481.77842384512485),
        -10426,
    ),
    Sensor(
        'CAM_BACK_RIGHT',
        (1.0148780988, -0.480568219723, 1.56239545128),
        (0.12280980120078765, -0.132400842670559, -0.7004305821388234, 0.690496031265798),
        1259.5137405846733,
        (807.2529053838625, 501.19579884916527),
        -20058,
    ),
)


def cameras(change: RigChange) -> tuple[Sensor, ...]:
    """Cameras of a changed rig."""
    return tuple(
        replace(
            camera,
            translation=(*camera.translation[:2], camera.translation[2] + change.height),
            rotation=change.quaternion(camera.rotation),
            focal=camera.focal * change.focal,
        )
        for camera in CAMERAS
    )
