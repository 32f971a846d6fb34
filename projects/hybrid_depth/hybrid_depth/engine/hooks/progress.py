"""Progress bars of training and testing."""

import sys

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from tqdm import tqdm


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Progress bars: one over all training iterations, one per validation or test.

    Drawn by the main process only; at long intervals if the output is not a terminal.
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self._bars: dict[str, tqdm] = {}

    def _open(self, mode: str, total: int, initial: int = 0) -> None:
        terminal = sys.stderr.isatty()
        self._bars[mode] = tqdm(
            total=total,
            initial=initial,
            desc=mode,
            dynamic_ncols=True,
            mininterval=0.5 if terminal else 30,
            leave=mode != 'val',
            disable=not is_main_process(),
        )

    def before_train(self, runner: Runner) -> None:
        self._open('train', runner.max_iters, runner.iter)

    def before_val(self, runner: Runner) -> None:
        self._open('val', len(runner.val_dataloader))

    def before_test(self, runner: Runner) -> None:
        self._open('test', len(runner.test_dataloader))

    def _after_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None, mode: str = 'train'
    ) -> None:
        self._bars[mode].update()

    def after_train(self, runner: Runner) -> None:
        self._bars.pop('train').close()

    def after_val(self, runner: Runner) -> None:
        self._bars.pop('val').close()

    def after_test(self, runner: Runner) -> None:
        self._bars.pop('test').close()
