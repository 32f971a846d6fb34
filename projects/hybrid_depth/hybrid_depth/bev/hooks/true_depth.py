"""True depth in place of a detector's predicted depth, at test time and in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from torch import nn

from ...checkpoints.unwrap import unwrapped
from ...errors import ConfigError
from ..depth_nets.base import DepthDistribution
from ..depth_nets.true_depth import TrueCells, with_true_depth
from ..structures import lidar_to_ego_boxes

BACKGROUND = 'background'
SHARE = 'true_depth/share'  # of the metrics


@HOOKS.register_module()
class TrueDepthHook(Hook):
    """Hook that lifts with true depth instead of the predicted one, in some cells or all.

    Shows what a detector owes to its depth (`hybrid-depth depth-worth`), or trains one that has
    perfect depth. The pipeline needs `LoadTrueDepth`. Cells without true depth, such as sky, and
    the earlier frames of temporal detectors keep the predicted depth. Not with depth supervision in
    training: swapped cells have no gradient.

    Args:
        ranges: cells whose nearest pixel is that far away, (from, up to below) metres, None for no
            end; None for all ranges.
        classes: cells whose nearest pixel is in a box of these classes, or in none
            ('background'); None for all cells.
        inverse: the cells of known depth that are not in `ranges` and `classes`.
        sigma: standard deviation of the distribution of a true depth, in bins, 0 for one-hot; None
            for that of the detector's own depth supervision (without one, one-hot): a detector is
            used to distributions of this width, and sharper ones can be worse than predicted ones.
    """

    priority = 'VERY_HIGH'  # before hooks that lift

    def __init__(
        self,
        ranges: Sequence[tuple[float, float | None]] | None = None,
        classes: Sequence[str] | None = None,
        inverse: bool = False,
        sigma: float | None = None,
    ) -> None:
        self.ranges, self.classes, self.inverse, self.sigma = ranges, classes, inverse, sigma
        self._handles: list = []
        self._labels: list[int] | None = None
        self._batch: dict[str, Any] | None = None
        self._share = torch.zeros(2, dtype=torch.int64)  # cells with true depth, and all

    def before_train(self, runner: Runner) -> None:
        """Put true depth behind the depth net."""
        self._install(runner, runner.train_dataloader)

    def before_val(self, runner: Runner) -> None:
        """As `before_train`, in validation alone."""
        self._install(runner, runner.val_dataloader)

    def before_test(self, runner: Runner) -> None:
        """As `before_train`, in tests."""
        self._install(runner, runner.test_dataloader)

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Add the share of cells with true depth to the metrics."""
        swapped, cells = self._share.tolist()
        metrics[SHARE] = swapped / max(cells, 1)

    def after_run(self, runner: Runner) -> None:
        """Give the depth net its own depth back."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _install(self, runner: Runner, loader) -> None:
        if self._handles:
            return
        self._labels = self._labels_of(loader.dataset.metainfo['classes'])
        model = unwrapped(runner.model)
        net = model.img_view_transformer.depth_net
        if self.sigma is None:
            self.sigma = next(
                (s for t in net.depth_targets if (s := getattr(t, 'sigma', None)) is not None), 0
            )
        self._handles = [
            model.register_forward_pre_hook(self._keep, with_kwargs=True),
            net.register_forward_hook(self._swap),
        ]

    def _labels_of(self, names: Sequence[str]) -> list[int] | None:
        if self.classes is None:
            return None
        labels = {BACKGROUND: 0} | {name: 1 + index for index, name in enumerate(names)}
        unknown = [name for name in self.classes if name not in labels]
        if unknown:
            raise ConfigError(
                f'TrueDepthHook: expected classes out of {", ".join(labels)}, got '
                f'{", ".join(unknown)}'
            )
        return [labels[name] for name in self.classes]

    def _keep(self, model: nn.Module, args: tuple, kwargs: dict) -> None:
        """Keep the batch of a forward pass of the detector."""
        inputs = kwargs['inputs'] if 'inputs' in kwargs else args[0]
        if 'true_depth' not in inputs:
            raise ConfigError(
                'TrueDepthHook: expected true_depth (B, N, H, W) in the batch inputs, got '
                f'{sorted(inputs)}; add LoadTrueDepth to the pipeline'
            )
        self._batch = dict(inputs, samples=kwargs.get('data_samples') or ())

    def _swap(
        self, net: nn.Module, args: tuple, distribution: DepthDistribution
    ) -> DepthDistribution | None:
        if self._batch is None or args[1] is not self._batch['imgs']:
            return None  # an earlier frame
        batch = self._batch
        truth = [_boxes(sample) for sample in batch['samples']] if self._labels else []
        size = tuple(distribution.logits.shape[-2:])
        cells = TrueCells.of(batch['true_depth'], batch['rig'], truth, size)
        chosen = cells.chosen(self.ranges, self._labels)
        if self.inverse:
            chosen = (cells.depth > 0) & ~chosen
        self._share += torch.tensor([int(chosen.sum()), chosen.numel()])
        return with_true_depth(distribution, cells.depth, chosen, net.bins, self.sigma or None)


def _boxes(sample) -> InstanceData:
    """True boxes of a sample in its ego frame, of training or test."""
    if 'gt_instances_3d' in sample and 'bboxes_3d' in sample.gt_instances_3d:
        return sample.gt_instances_3d
    truth = sample.eval_ann_info
    if truth is None:
        raise ConfigError(
            'TrueDepthHook: expected true boxes for its classes, got a sample without any; leave '
            'the classes out, or take an info file with boxes'
        )
    known = truth['gt_labels_3d'] >= 0
    return InstanceData(
        bboxes_3d=lidar_to_ego_boxes(truth['gt_bboxes_3d'][known], sample.metainfo['lidar2boxes']),
        labels_3d=torch.as_tensor(truth['gt_labels_3d'][known]),
    )
