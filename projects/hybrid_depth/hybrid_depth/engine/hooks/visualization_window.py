"""`hybrid-depth test --show`: the visualizations of a test run, one after another in a window."""

import os
import sys
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...datasets.image_files import open_image


def has_screen() -> bool:
    """Whether a window can be opened here."""
    return sys.platform != 'linux' or bool(os.environ.keys() & {'DISPLAY', 'WAYLAND_DISPLAY'})


@HOOKS.register_module()
class VisualizationWindowHook(Hook):
    """After a test, show the visualizations that another hook wrote.

    Args:
        folder: where the visualizations are (.jpg and .png, sorted by name, folders below too).
        wait_time: seconds that each visualization stays.
    """

    priority = 'LOWEST'

    def __init__(self, folder: str, wait_time: float = 2.0) -> None:
        self.folder = Path(folder)
        self.wait_time = wait_time

    def after_test(self, runner: Runner) -> None:
        import matplotlib.pyplot as plt  # it takes half a second

        plt.switch_backend('TkAgg')
        figure, axes = plt.subplots(num=str(self.folder), layout='constrained')
        paths = [path for path in self.folder.rglob('*') if path.suffix in ('.jpg', '.png')]
        for path in sorted(paths):
            axes.clear()
            axes.set_axis_off()
            axes.set_title(path.name)
            axes.imshow(open_image(path))
            plt.pause(self.wait_time)
        plt.close(figure)
