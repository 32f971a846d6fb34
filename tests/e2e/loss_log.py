"""Log of the loss of every iteration and process in distributed training."""

import json
from pathlib import Path

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class LossLogHook(Hook):
    """Hook that writes `loss_<rank>.json` to the work dir."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        self.losses.append(float(outputs['loss']))

    def after_train(self, runner: Runner) -> None:
        Path(runner.work_dir, f'loss_{get_rank()}.json').write_text(json.dumps(self.losses))
