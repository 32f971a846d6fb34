"""Training schedule: depth net first, then detection."""

import torch
from mmdet3d.structures import Det3DDataSample
from mmengine.model import BaseModel
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...checkpoints.unwrap import unwrapped
from ...depth.encoders.freezing import eval_frozen
from ...engine.hooks.epoch_hook import EpochHook
from ..lift.lift_cache import LiftCache
from ..transforms.bev_augmentation import BEVAugmentation

#: Modules of a detector that predict depth and lift.
IMAGE_SIDE = ('img_backbone', 'img_neck', 'img_view_transformer')


@HOOKS.register_module()
class DepthFirstHook(EpochHook):
    """Hook that trains image backbone and depth net first, then detection with a frozen lift.

    For `epochs` epochs only the losses of the depth net are computed, without lift. Then image
    backbone and depth net are frozen, and only the detection losses are used. Intended for short
    trainings from random initialisation, where it is better than joint training. With several
    processes set `find_unused_parameters=True`.

    Args:
        epochs: number of epochs for depth, the first of the run.
        keep_lifts: lift every frame only once and cache the result in memory (see `LiftCache`).
        bev_augmentation: arguments of the `BEVAugmentation` of detection, None for none. In the
            pipeline it would also change the input of a camera-aware depth net, and a
            `CachedDataset` would draw it only once.

    Raises:
        ValueError: `epochs` is less than 1.
    """

    def __init__(
        self, epochs: int, keep_lifts: bool = False, bev_augmentation: dict | None = None
    ) -> None:
        if epochs < 1:
            raise ValueError(f'DepthFirstHook: expected epochs of at least 1, got {epochs}')
        self.epochs, self.keep_lifts = epochs, keep_lifts
        self.augmentation = None
        if bev_augmentation is not None:
            self.augmentation = BEVAugmentation(**bev_augmentation)
        self._cache: LiftCache | None = None

    def prepare(self, model: BaseModel, epoch: int) -> None:
        """Set loss weights, freeze modules and wrap the lift.

        Raises:
            ValueError: the depth net has no supervision.
        """
        if epoch < self.epochs:
            if not model.img_view_transformer.depth_net.depth_targets:
                raise ValueError(
                    'DepthFirstHook: expected a depth net with depth_supervision, got one without; '
                    'set depth_supervision, or remove the hook'
                )
            model.loss_weights.update(depth=1.0, detection=0.0)
            return
        model.loss_weights.update(depth=0.0, detection=1.0)
        for name in IMAGE_SIDE:
            getattr(model, name).requires_grad_(False)
        if self.keep_lifts:
            if self._cache is None:
                self._cache = LiftCache(model.lift, model.img_view_transformer.grid)
            model.lift = self._cache  # overrides the method until the end of the epoch

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        """Augment the batch, and set frozen modules to eval mode, as mmengine's loop sets the
        training mode after the hooks of the epoch."""
        if runner.epoch < self.epochs:
            return
        eval_frozen(unwrapped(runner.model))
        if self.augmentation is not None:
            for place, sample in enumerate(data_batch['data_samples']):
                self._augment(data_batch['inputs'], place, sample)

    def _augment(self, inputs: dict, place: int, sample: Det3DDataSample) -> None:
        params = self.augmentation.sample_params()
        params.apply(sample.gt_instances_3d.bboxes_3d)
        matrix = torch.from_numpy(params.matrix())
        for frame in (inputs, *inputs.get('adjacent', ())):
            frame['rig']['bda'][place] = matrix @ frame['rig']['bda'][place]

    def after_train_epoch(self, runner: Runner) -> None:
        """Remove the lift cache for validation."""
        vars(unwrapped(runner.model)).pop('lift', None)
