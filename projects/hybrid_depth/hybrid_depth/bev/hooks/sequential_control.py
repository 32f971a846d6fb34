"""Train a temporal detector on single frames first."""

from mmengine.model import BaseModel
from mmengine.registry import HOOKS

from ...engine.hooks.epoch_hook import EpochHook


@HOOKS.register_module()
class SequentialControlHook(EpochHook):
    """Enables the earlier frames of `BEVDet4D` or `FBBEV` after some epochs.

    Sources: docs/reference/bevdet.md, "Earlier key frames", and docs/reference/fb_bev.md,
    "History".

    Args:
        start_epoch: epochs without them; published: 2. After `DepthFirstHook(epochs=n)`, whose
            epochs count too, n + 2.
    """

    def __init__(self, start_epoch: int = 2) -> None:
        self.start_epoch = start_epoch

    def prepare(self, model: BaseModel, epoch: int) -> None:
        model.with_history = epoch >= self.start_epoch
