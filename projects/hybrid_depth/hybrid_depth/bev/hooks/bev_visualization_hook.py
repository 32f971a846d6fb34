"""Hook for visualizations of BEV detections."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmdet3d.structures import Det3DDataSample
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...datasets.image_files import open_image
from ...files import file_name
from ...geometry import CameraRig
from ...visualization.boxes import SceneBoxes
from ...visualization.png import write_png
from ...visualization.sheet import BEVScene, make_sheet
from ..structures import lidar_to_ego_boxes
from ..transforms.lidar_depth import load_sweep


@HOOKS.register_module()
class BEVVisualizationHook(Hook):
    """Hook that writes one sheet per sample (``make_sheet``) during a test; needs no display.

    Needs the samples of ``PackBEVInputs`` and the predictions of ``BEVDet``. Optional in a sample
    and its sheet: ``eval_ann_info`` (ground-truth boxes), ``pred_depth``, ``lidar_path``.

    Args:
        out_dir: folder for ``<sample_idx>_<token>.png``.
        score_thr: smallest score of the predicted boxes drawn.
        interval: draw every ``interval``-th sample of the data set.
        max_samples: largest number of samples drawn; None for all.
        draw_val: draw in validation too, into ``<out_dir>/epoch_<number>``.
        camera_width: width of one camera panel, pixels.
        reach: range of the BEV around the ego vehicle, metres.
        depth_range: range of the depth colours, metres.
    """

    priority = 'LOW'

    def __init__(
        self,
        out_dir: str,
        score_thr: float = 0.3,
        interval: int = 1,
        max_samples: int | None = None,
        draw_val: bool = False,
        camera_width: int = 480,
        reach: float = 51.2,
        depth_range: tuple[float, float] = (4.0, 60.0),
    ):
        self.out_dir = Path(out_dir)
        self.interval = interval
        self.max_samples = max_samples
        self.draw_val = draw_val
        self.sheet_options = dict(
            score_thr=score_thr,
            camera_width=camera_width,
            reach=reach,
            depth_range=tuple(depth_range),
        )

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict, outputs: Sequence[Det3DDataSample]
    ) -> None:
        dataset = runner.test_loop.dataloader.dataset
        self._draw(data_batch, outputs, dataset.metainfo['classes'], self.out_dir)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict, outputs: Sequence[Det3DDataSample]
    ) -> None:
        if self.draw_val:
            dataset = runner.val_loop.dataloader.dataset
            folder = self.out_dir / f'epoch_{runner.epoch}'
            self._draw(data_batch, outputs, dataset.metainfo['classes'], folder)

    def _draw(
        self,
        data_batch: dict,
        samples: Sequence[Det3DDataSample],
        class_names: Sequence[str],
        folder: Path,
    ) -> None:
        inputs = data_batch['inputs']
        for i, sample in enumerate(samples):
            index = sample.metainfo['sample_idx']
            if not self._is_drawn(index):
                continue
            rig = CameraRig.collate([{name: values[i] for name, values in inputs['rig'].items()}])
            network_size = tuple(inputs['img'][i].shape[-2:])
            scene = scene_of(sample, rig.to('cpu'), network_size)
            sheet = make_sheet(scene, class_names, **self.sheet_options)
            token = file_name(sample.metainfo['token'])
            write_png(sheet, folder / f'{index:06d}_{token}.png')

    def _is_drawn(self, index: int) -> bool:
        within = self.max_samples is None or index // self.interval < self.max_samples
        return index % self.interval == 0 and within


def scene_of(sample: Det3DDataSample, rig: CameraRig, network_size: tuple[int, int]) -> BEVScene:
    """Content of the sheet of a predicted sample.

    Args:
        sample: from ``PackBEVInputs``, with the predictions of ``BEVDet``.
        rig: calibration of the sample, B = 1, on the CPU.
        network_size: (H, W) of the network image.
    """
    meta, found = sample.metainfo, sample.pred_instances_3d
    lidar2ego = np.asarray(meta['lidar2ego'], dtype=np.float64)
    true = sample.get('eval_ann_info')
    depth = sample.get('pred_depth')
    return BEVScene(
        images=[np.asarray(open_image(path)) for path in meta['img_path']],
        cam_names=meta['cam_names'],
        rig=rig,
        predicted=SceneBoxes.from_ego(
            lidar_to_ego_boxes(found.bboxes_3d, lidar2ego), found.labels_3d, found.scores_3d
        ),
        true=None
        if true is None
        else SceneBoxes.from_ego(
            lidar_to_ego_boxes(true['gt_bboxes_3d'], lidar2ego), true['gt_labels_3d']
        ),
        points=_lidar_points(meta, lidar2ego),
        depth=None if depth is None else depth.data.float().cpu().numpy(),
        network_size=network_size,
        title=f'sample {meta["token"]}   scene {meta.get("scene_token", "unknown")}',
    )


def _lidar_points(meta: dict, lidar2ego: np.ndarray) -> np.ndarray | None:
    """LiDAR points (P, 3) of a sample in the ego frame; None without a sweep on disk."""
    if not os.path.isfile(meta.get('lidar_path', '')):
        return None
    points = load_sweep(meta['lidar_path'], meta['num_pts_feats'])[:, :3].astype(np.float64)
    return points @ lidar2ego[:3, :3].T + lidar2ego[:3, 3]
