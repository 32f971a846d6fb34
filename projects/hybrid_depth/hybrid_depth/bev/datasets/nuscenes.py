"""nuScenes keyframes for camera-only BEV detection."""

from __future__ import annotations

import logging
import os

import numpy as np
import torch
from mmdet3d.datasets import NuScenesDataset
from mmdet3d.registry import DATASETS
from mmengine.logging import print_log

from ...datasets.nuscenes.names import CAMERAS, CLASSES, InfoError
from ...datasets.nuscenes.table_digests import changed_tables
from ...errors import HybridDepthError
from ...geometry import invert_rigid
from ...info_files import data_folders, naming, read_infos
from .info_checks import InfoChecks

_MAKE_INFOS = 'make it with: hybrid-depth create-nuscenes-infos --root ROOT --version VERSION'
_FRAME_KEYS = (
    'img_path',
    'img_size',
    'cam2img',
    'cam2ego',
    'ego2global',
    'img_aug',
)  # of adjacent frames
_NO_SWEEP = dict(lidar_path='', num_pts_feats=5)
_CAR_RATIO = (1.0, 6.0)  # accepted median length / width of cars; about 2.4 in nuScenes


@DATASETS.register_module()
class NuScenesBEVDataset(NuScenesDataset):
    """mmdet3d's ``NuScenesDataset`` with BEVDet's classes and multi-camera calibration.

    Reads info files of ``hybrid-depth create-nuscenes-infos``, and of other data with any class
    names; LiDAR sweeps (``lidar_path``) may be missing. Labels are mapped by class name, so
    the order of classes in the file does not matter; ``version`` is the file's unless given in
    ``metainfo``. Boxes in ``ann_info`` are in the LiDAR frame (``LoadEgoBoxes`` transforms them);
    only boxes with a LiDAR or radar point are used, unknown velocities are 0. Boxes with NaN or a
    size that is not positive are dropped, with a warning.

    Each sample has, in the order of ``CAMERAS``: cam_names, drive (own vehicles' only, else ''),
    img_path (N), img_size (N) of the calibration (width and height, None if not in the file),
    cam2img (N, 3, 3), cam2ego (N, 4, 4), img_aug (N, 3, 3), and lidar2ego, lidar2boxes, ego2global,
    bda (4, 4), all float64. Boxes for training and predicted ones are in the frame of lidar2boxes,
    everything else in that of lidar2ego; both are the ego frame at LiDAR time unless set otherwise.

    Args:
        data_root: nuScenes root.
        ann_file: info file, relative to ``data_root``.
        cameras: cameras, in this order.
        ego_frame: camera at whose image time the ego frame is taken, among ``cameras``; None for
            the LiDAR's time. Official weights: docs/reference/bevdet.md, "Lift".
        box_frame: the same for the frame of the boxes.
        num_adj: number of key frames before each sample, latest first, as ``adjacent``: a list of
            dict(img_path, cam2img, cam2ego, ego2global, img_aug), each in the ego frame of its
            time. At the start of a scene the current frame is repeated (BEVDet4D).
        sequence_length: largest number of key frames of the sequences into which scenes are split,
            for recurrent models; samples then have ``sequence`` = (name, index in it). None for no
            sequences. A frame whose predecessor is not in the file starts a sequence. Frames
            without boxes are kept (``filter_empty_gt=False``), so sequences have no gaps.

    Raises:
        FileNotFoundError: there is no such info file.
        UnsafeFileError: it names functions or classes.
        DamagedFileError: it does not read, or is no info file.
        InfoError: it is empty, of another schema, lacks a class, or holds boxes of mmdet3d < 1.0.
        DepthDataError: a matrix that is not that of a camera, or of a rigid motion.
        ValueError: ``indices`` (a part of the file) with ``sequence_length``; ``ego_frame`` or
            ``box_frame`` is not among the cameras.
    """

    METAINFO = dict(classes=CLASSES, palette=NuScenesDataset.METAINFO['palette'])

    def __init__(
        self,
        data_root: str,
        ann_file: str,
        cameras: tuple[str, ...] = CAMERAS,
        ego_frame: str | None = None,
        box_frame: str | None = None,
        num_adj: int = 0,
        sequence_length: int | None = None,
        **kwargs,
    ):
        self.cameras = tuple(cameras)
        self.ego_frame, self.box_frame = ego_frame, box_frame
        for name, camera in (('ego_frame', ego_frame), ('box_frame', box_frame)):
            if camera not in (None, *self.cameras):
                raise ValueError(
                    f'NuScenesBEVDataset: expected {name} to be None (LiDAR time) or one of '
                    f'{", ".join(self.cameras)}, got {camera!r}'
                )
        self.num_adj, self.sequence_length = num_adj, sequence_length
        if sequence_length is not None:
            kwargs.setdefault('filter_empty_gt', False)
            if kwargs.get('indices') is not None:
                raise ValueError(
                    'NuScenesBEVDataset: expected no indices together with sequence_length, got '
                    f'{kwargs["indices"]}; make an info file of these scenes instead'
                )
        # mmdet3d accepts only classes of METAINFO
        self.METAINFO = dict(
            self.METAINFO, classes=kwargs.get('metainfo', {}).get('classes', CLASSES)
        )
        super().__init__(
            data_root=data_root,
            ann_file=ann_file,
            data_prefix=data_folders({}, self.cameras),
            modality=dict(use_camera=True, use_lidar=True),
            use_valid_flag=True,
            **kwargs,
        )

    def full_init(self) -> None:
        """Load the info file; with ``indices``, sample indices count within the selected part."""
        if self._fully_initialized:
            return
        super().full_init()
        if self._indices is not None:
            infos = map(super().get_data_info, range(len(self)))
            self._index_of = {info['token']: index for index, info in enumerate(infos)}

    def load_data_list(self) -> list[dict]:
        """Read, check and parse the info file."""
        content = read_infos(self.ann_file)
        if changed := changed_tables(content['metainfo'], self.data_root):
            print_log(f'{self.ann_file} {changed}', logger='current', level=logging.WARNING)
        for key, value in content['metainfo'].items():
            self._metainfo.setdefault(key, value)
        with naming(self.ann_file):
            folders = data_folders(content['metainfo'], self.cameras)
        self.data_prefix = {key: os.path.join(self.data_root, x) for key, x in folders.items()}
        self._checks = InfoChecks(
            self.ann_file, self.cameras, _MAKE_INFOS, {self.ego_frame, self.box_frame} - {None}
        )
        data_list = [self._parsed(info, index) for index, info in enumerate(content['data_list'])]
        if self._checks.summary():
            print_log(self._checks.summary(), logger='current', level=logging.WARNING)
        if not data_list:
            raise InfoError(
                f'{self.ann_file} has no samples: no scene of this root is in that split. Use '
                'the info file of another split, or a root with scenes of this one.'
            )
        self._checks.check_tokens(data_list)
        self._check_box_convention(data_list)
        self._require_boxes(data_list)
        self._index_of = {info['token']: index for index, info in enumerate(data_list)}
        if self.sequence_length is not None:
            self._sequence_of = self._number_sequences(data_list)
        temporal = self.num_adj or self.sequence_length is not None
        if temporal and not any('prev' in info for info in data_list):
            print_log(
                f'{self.ann_file} has no order of frames (prev): every sample is repeated as its '
                f'history; {_MAKE_INFOS}',
                logger='current',
                level=logging.WARNING,
            )
        return data_list

    def _parsed(self, info: dict, index: int) -> dict:
        info.pop('evaluation', None)  # of the metric, which reads the file itself
        try:
            return self.parse_data_info(info)
        except HybridDepthError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise InfoError(
                f'{self.ann_file}, sample {index}: expected the entries of an info file, got '
                f'others ({error!r}); {_MAKE_INFOS}'
            ) from error

    def parse_data_info(self, info: dict) -> dict:
        if not hasattr(self, '_file_classes'):
            self._map_labels()
        self._checks.check(info)
        info['lidar_points'] = _NO_SWEEP | info['lidar_points']
        return super().parse_data_info(info)

    def parse_ann_info(self, info: dict) -> dict:
        """Annotations of a sample, without unusable boxes."""
        return super().parse_ann_info(
            dict(info, instances=self._checks.usable(info, self.label_mapping))
        )

    def _map_labels(self) -> None:
        """Map labels of the file to those of this data set, by class name; -1 for other classes."""
        classes = list(self.metainfo['classes'])
        self._file_classes = self.metainfo.get('categories')
        if not isinstance(self._file_classes, dict):
            raise InfoError(
                f'{self.ann_file}: expected categories (labels by class name) in metainfo, got '
                f'{sorted(self.metainfo)}; {_MAKE_INFOS}'
            )
        absent = [name for name in classes if name not in self._file_classes]
        if absent:
            raise InfoError(
                f'{self.ann_file}: expected the classes {", ".join(classes)}, got '
                f'{", ".join(self._file_classes)}, without {", ".join(absent)}; {_MAKE_INFOS}. '
                'Other classes, such as of an own vehicle: own_data=dict(root=FOLDER) in the config'
            )
        self.label_mapping = {
            label: classes.index(name) if name in classes else -1
            for name, label in self._file_classes.items()
        } | {-1: -1}

    def _check_box_convention(self, data_list: list[dict]) -> None:
        """Reject boxes of mmdet3d < 1.0, which have width and length swapped, and other yaws."""
        classes = self.metainfo['classes']
        if 'car' not in classes:
            return
        cars = classes.index('car')
        ratios = []
        for info in data_list:
            boxes = info.get('ann_info', info.get('eval_ann_info'))
            if boxes is not None:
                size = boxes['gt_bboxes_3d'].tensor[boxes['gt_labels_3d'] == cars, 3:5]
                ratios.append((size[:, 0] / size[:, 1]).numpy())
        ratio = np.median(np.concatenate(ratios)) if sum(map(len, ratios)) else 2.4
        if not _CAR_RATIO[0] < ratio < _CAR_RATIO[1]:
            raise InfoError(
                f'{self.ann_file}: expected cars about 2.4 times as long as wide, got a median of '
                f'{ratio:.2f}: not the box convention of mmdet3d >= 1.0; {_MAKE_INFOS}'
            )

    def _require_boxes(self, data_list: list[dict]) -> None:
        """Reject training data without a box: mmengine would load a thousand samples first."""
        if self.test_mode or not self.filter_empty_gt:
            return
        if not any((info['ann_info']['gt_labels_3d'] >= 0).any() for info in data_list):
            written = sum(len(info.get('instances', ())) for info in data_list)
            raise InfoError(
                f'{self.ann_file}: expected boxes of {", ".join(self.metainfo["classes"])} to '
                f'train on, got none that can be used among {written}. Boxes with '
                'bbox_3d_isvalid=False (without a LiDAR or radar point) are not used; leave that '
                'key out where points were not counted'
            )

    def get_data_info(self, idx: int) -> dict:
        """Info of one sample with calibration as float64 arrays."""
        info = self._frame_info(idx)
        if self.num_adj:
            info['adjacent'] = self._adjacent(info)
        if self.sequence_length is not None:
            info['sequence'] = self._sequence_of[info['token']]
        return info

    def _adjacent(self, info: dict) -> list[dict]:
        """Earlier key frames, latest first."""
        frames, latest = [], info
        for _ in range(self.num_adj):
            latest = self._previous(latest)
            frames.append({key: (latest or info)[key] for key in _FRAME_KEYS})
        return frames

    def sequences(self) -> list[list[int]]:
        """Sample indices of every sequence, in order of time.

        Raises:
            ValueError: the data set has no ``sequence_length``.
        """
        if self.sequence_length is None:
            raise ValueError(
                'NuScenesBEVDataset: expected a sequence_length, for batches of sequences; got None'
            )
        members: dict[str, list[int]] = {}
        for token, (sequence, _) in self._sequence_of.items():
            members.setdefault(sequence, []).append(self._index_of[token])
        return list(members.values())

    def _number_sequences(self, data_list: list[dict]) -> dict[str, tuple[str, int]]:
        """(sequence, index) by token; sequences are named by their first token."""
        numbers: dict[str, tuple[str, int]] = {}
        for info in sorted(data_list, key=lambda info: info['timestamp']):
            first, index = numbers.get(info.get('prev'), (info['token'], -1))
            if index + 1 == self.sequence_length:
                first, index = info['token'], -1
            numbers[info['token']] = (first, index + 1)
        return numbers

    def _previous(self, info: dict) -> dict:
        """Info of the previous frame, empty if there is none in this subset."""
        return self.find(info.get('prev'))

    def find(self, token: str | None) -> dict:
        """Info of a sample without its history, empty if it is not in this subset."""
        index = self._index_of.get(token, len(self))
        found = self._frame_info(index) if index < len(self) else {}
        return found if found.get('token') == token else {}

    def _frame_info(self, idx: int) -> dict:
        info = super().get_data_info(idx)
        images = [info['images'][camera] for camera in self.cameras]
        lidar2ego, ego2global = self._ego_pose(info, self.ego_frame)
        lidar2boxes, _ = self._ego_pose(info, self.box_frame)
        lidar2cam = np.array([image['lidar2cam'] for image in images], dtype=np.float64)
        info.update(
            cam_names=list(self.cameras),
            drive=self._drive_of(info),
            img_path=[image['img_path'] for image in images],
            img_size=[(image.get('width'), image.get('height')) for image in images],
            cam2img=np.array([image['cam2img'] for image in images], dtype=np.float64),
            cam2ego=lidar2ego @ invert_rigid(torch.from_numpy(lidar2cam)).numpy(),
            lidar2ego=lidar2ego,
            lidar2boxes=lidar2boxes,
            ego2global=ego2global,
            img_aug=np.tile(np.eye(3), (len(images), 1, 1)),
            bda=np.eye(4),
        )
        return info

    def _drive_of(self, info: dict) -> str:
        """Drive of a sample, where files of several drives have equal names; '' in nuScenes."""
        return str(info.get('scene_token', '')) if self.metainfo.get('dataset') == 'rig' else ''

    @staticmethod
    def _ego_pose(info: dict, camera: str | None) -> tuple[np.ndarray, np.ndarray]:
        """lidar2ego and ego2global (4, 4) of the ego frame at a camera's time, None: LiDAR time."""
        lidar2ego = np.array(info['lidar_points']['lidar2ego'], dtype=np.float64)
        ego2global = np.array(info['ego2global'], dtype=np.float64)
        if camera is None:
            return lidar2ego, ego2global
        moved = np.array(info['images'][camera]['ego2global'], dtype=np.float64)
        return invert_rigid(torch.from_numpy(moved)).numpy() @ ego2global @ lidar2ego, moved
