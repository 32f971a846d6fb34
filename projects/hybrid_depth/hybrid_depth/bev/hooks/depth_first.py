"""Train a detector's depth before its detection."""

from mmengine.model import BaseModel
from mmengine.registry import HOOKS

from ...engine.hooks.epoch_hook import EpochHook


@HOOKS.register_module()
class DepthFirstHook(EpochHook):
    """First the image side by its own labels, then the BEV side on what it gives.

    For `epochs` epochs the detector learns depth (and classes of image cells) only, and nothing is
    lifted. Then the image side is frozen, and the BEV side learns from a lift that holds still.
    Meant for short trainings from random initialisation, where it is worth more than learning both
    at once. With several processes set `find_unused_parameters=True`.

    Args:
        epochs: epochs for depth, the first of the run.
        keep_lifts: see `BEVDet.freeze_depth`.
    """

    def __init__(self, epochs: int, keep_lifts: bool = False) -> None:
        if epochs < 1:
            raise ValueError(f'DepthFirstHook: expected one epoch or more for depth, got {epochs}')
        self.epochs, self.keep_lifts = epochs, keep_lifts

    def prepare(self, model: BaseModel, epoch: int) -> None:
        if epoch < self.epochs:
            model.learn_depth_only()
        else:
            model.freeze_depth(self.keep_lifts)
