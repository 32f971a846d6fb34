"""Checks of the samples of an info file: cameras, poses and boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container

import numpy as np

from ...calibration_checks import check_boxes, check_camera, check_rigid, known_velocities
from ...datasets.nuscenes.names import InfoError

_VEHICLE_KEYS = ('token', 'ego2global', 'lidar_points', 'images')
# other data may have no velocities and no counts of LiDAR points
_DEFAULTS = dict(velocity=[np.nan, np.nan], bbox_3d_isvalid=True)
_LINKS = ('scene_token', 'prev', 'next')
_IMAGE_KEYS = ('img_path', 'cam2img', 'lidar2cam')


class InfoChecks:
    """Checks of one info file, sample by sample.

    Args:
        file: info file, for errors.
        cameras: cameras that are used.
        advice: how to make an info file, for errors.
        posed: those of them whose time is used, so that their vehicle pose is needed.

    Attributes:
        dropped: samples of the boxes dropped so far.
        unknown: number of velocities that were set to unknown, as one number of two was NaN.
    """

    def __init__(
        self, file: str, cameras: tuple[str, ...], advice: str, posed: Collection[str] = ()
    ) -> None:
        self.file, self.cameras, self.advice, self.posed = file, cameras, advice, posed
        self.dropped: list[str] = []
        self.unknown = 0
        self._known: set = set()

    def check(self, info: dict) -> None:
        """Check keys, cameras and poses of a sample.

        Raises:
            InfoError: a key or camera is missing, or a token or time is none.
            DepthDataError: a matrix that is not that of a camera, or of a rigid motion.
        """
        self._require_keys(info)
        self._check_entries(info)
        source = f'{self.file}, sample {info["token"]}'
        check_rigid(info['ego2global'], f'{source}, ego2global')
        check_rigid(info['lidar_points']['lidar2ego'], f'{source}, lidar2ego')
        for camera in self.cameras:
            image = info['images'][camera]
            check_rigid(image['lidar2cam'], f'{source}, {camera}, lidar2cam')
            self._check_camera(image, f'{source}, {camera}')
        for camera in self.posed:
            check_rigid(info['images'][camera]['ego2global'], f'{source}, {camera}, ego2global')

    def _require_keys(self, info: dict) -> None:
        absent = [key for key in _VEHICLE_KEYS if key not in info]
        if 'lidar2ego' not in info.get('lidar_points', ()):
            absent.append('lidar_points.lidar2ego')
        images = info.get('images', {})
        absent += [camera for camera in self.cameras if camera not in images]
        absent += [
            f'{camera}.{key}'
            for camera in self.cameras
            for key in _IMAGE_KEYS
            if camera in images and key not in images[camera]
        ]
        absent += [
            f'{camera}.ego2global'
            for camera in self.posed
            if 'ego2global' not in images.get(camera, ())
        ]
        if absent:
            raise InfoError(
                f'{self.file}, sample {info.get("token", "without a token")}: expected '
                f'{", ".join(_VEHICLE_KEYS)} and {len(self.cameras)} cameras with '
                f'{", ".join(_IMAGE_KEYS)}, got none of {", ".join(absent)}; {self.advice}'
            )

    def _check_entries(self, info: dict) -> None:
        """Samples are sorted by time and linked by tokens."""
        texts = [info['token'], *(info[key] for key in _LINKS if info.get(key) is not None)]
        time = info.get('timestamp', 0)
        if all(isinstance(text, str) for text in texts) and (
            isinstance(time, int | float | np.number) and np.isfinite(time)
        ):
            return
        raise InfoError(
            f'{self.file}, sample {info["token"]}: expected text as token, {", ".join(_LINKS)} and '
            f'a finite number as timestamp, got {texts} and {time!r}; {self.advice}'
        )

    def check_tokens(self, infos: list[dict]) -> None:
        """Check that no sample is twice in the file.

        Raises:
            InfoError: a token of several samples.
        """
        token, count = Counter(info['token'] for info in infos).most_common(1)[0]
        if count > 1:
            raise InfoError(
                f'{self.file}: expected a token per sample, got {token} in {count} samples; '
                f'{self.advice}'
            )

    def _check_camera(self, image: dict, source: str) -> None:
        """Cameras repeat from sample to sample; each is checked once."""
        size = (image.get('width'), image.get('height'))
        key = (np.asarray(image['cam2img']).tobytes(), size)
        if key not in self._known:
            check_camera(image['cam2img'], source, None if None in size else size)
            self._known.add(key)

    def usable(self, info: dict, labels: Container) -> list[dict]:
        """Instances of a sample with usable boxes; half-known velocities become unknown.

        Args:
            info: the sample.
            labels: known labels.

        Raises:
            InfoError: an instance without a box or label, or with an unknown label.
        """
        instances = [_DEFAULTS | item for item in info.get('instances', ())]
        if not instances:
            return instances
        mask = check_boxes(self._rows(info, instances, 'bbox_3d', 7))
        self.dropped += [info['token']] * int((~mask).sum())
        velocities = self._rows(info, instances, 'velocity', 2)
        half = ~known_velocities(velocities) & ~np.isnan(velocities).all(1)
        self.unknown += int(half.sum())
        for place in np.flatnonzero(half):
            instances[place] = dict(instances[place], velocity=[np.nan, np.nan])
        self._check_labels(info, instances, labels)
        common = set.intersection(*(set(item) for item in instances))
        return [
            {key: value for key, value in item.items() if key in common}
            for item, good in zip(instances, mask, strict=True)
            if good
        ]

    def _check_labels(self, info: dict, instances: list[dict], labels: Container) -> None:
        for item in instances:
            label = item.get('bbox_label_3d')
            if not isinstance(label, int | np.integer) or label not in labels:
                raise InfoError(
                    f'{self.file}, sample {info["token"]}: expected as bbox_label_3d a label of '
                    f'the categories in metainfo, got {label!r}; {self.advice}'
                )

    def _rows(self, info: dict, instances: list[dict], key: str, length: int) -> np.ndarray:
        try:
            rows = np.array([item[key] for item in instances], dtype=np.float64)
            return rows.reshape(len(instances), length)
        except (KeyError, TypeError, ValueError) as error:
            raise InfoError(
                f'{self.file}, sample {info["token"]}: expected {length} numbers as {key} of every '
                f'instance, got {error!r}; {self.advice}'
            ) from error

    def summary(self) -> str | None:
        """Sentence on what was dropped; None if nothing was."""
        if not (self.dropped or self.unknown):
            return None
        first = f', first in sample {self.dropped[0]}' if self.dropped else ''
        return (
            f'{self.file}: dropped {len(self.dropped)} boxes with NaN or a size that is not '
            f'positive{first}; {self.unknown} velocities with one NaN are unknown'
        )
