"""Window with the visualizations of a test run (`hybrid-depth test --show`)."""

import os
import sys
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...datasets.image_files import open_image


def has_screen() -> bool:
    """Whether this machine can open a window."""
    return sys.platform != 'linux' or bool(os.environ.keys() & {'DISPLAY', 'WAYLAND_DISPLAY'})


@HOOKS.register_module()
class VisualizationWindowHook(Hook):
    """Hook that shows the visualizations written by another hook after a test.

    Args:
        folder: folder of the visualizations (.jpg and .png, sorted by name, subfolders included).
        wait_time: display time per visualization, seconds.
    """

    priority = 'LOWEST'

    def __init__(self, folder: str, wait_time: float = 2.0) -> None:
        self.folder = Path(folder)
        self.wait_time = wait_time

    def after_test(self, runner: Runner) -> None:
        import matplotlib.pyplot as plt  # takes half a second

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
