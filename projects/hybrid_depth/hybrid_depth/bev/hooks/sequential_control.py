"""Training schedule: single frames first, then earlier frames too."""

from mmengine.model import BaseModel
from mmengine.registry import HOOKS

from ...engine.hooks.epoch_hook import EpochHook


@HOOKS.register_module()
class SequentialControlHook(EpochHook):
    """Enables the temporal part of a `BEVDet` after some epochs.

    Sources: docs/reference/bevdet.md, "Earlier key frames", and docs/reference/fb_bev.md,
    "History".

    Args:
        start_epoch: epochs without earlier frames; published: 2. After `DepthFirstHook(epochs=n)`,
            whose epochs count too, n + 2.
    """

    def __init__(self, start_epoch: int = 2) -> None:
        self.start_epoch = start_epoch

    def prepare(self, model: BaseModel, epoch: int) -> None:
        """Enable or disable the temporal part, where there is one (control runs have none)."""
        if model.temporal is not None:
            model.temporal.enabled = epoch >= self.start_epoch
