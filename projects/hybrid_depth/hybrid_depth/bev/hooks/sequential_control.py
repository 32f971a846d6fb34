"""Training schedule: single frames first, then temporal fusion."""

from mmengine.model import BaseModel
from mmengine.registry import HOOKS

from ...engine.hooks.epoch_hook import EpochHook


@HOOKS.register_module()
class SequentialControlHook(EpochHook):
    """Hook that enables the temporal part of a `BEVDet` after some epochs.

    Sources: docs/reference/bevdet.md, "Earlier key frames", and docs/reference/fb_bev.md,
    "History".

    Args:
        start_epoch: number of epochs without earlier frames; 2 as published; n + 2 together with
            `DepthFirstHook(epochs=n)`.
    """

    def __init__(self, start_epoch: int = 2) -> None:
        self.start_epoch = start_epoch

    def prepare(self, model: BaseModel, epoch: int) -> None:
        """Enable or disable the temporal part, if there is one."""
        if model.temporal is not None:
            model.temporal.enabled = epoch >= self.start_epoch
