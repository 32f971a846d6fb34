"""Online pseudo depth during the training of a detector."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..checkpoints.unwrap import unwrapped
from ..depth.estimators.init import init_depth_model
from ..errors import ConfigError
from .model import PseudoDepth, default_scale
from .view import ModelView


@HOOKS.register_module()
class OnlinePseudoDepthHook(Hook):
    """Hook that supplies the `PseudoDepthTarget`s of a detector with a frozen depth model.

    The model is not part of the detector: its weights are neither in the detector's checkpoints nor
    in the optimiser. Its input images are those of its training (`ModelView`), except for regions
    lost by the detector's augmentation. Every batch needs two forward passes, four with a
    `neighbour_tolerance`: a cache (hybrid-depth make-pseudo-depth) is cheaper from the second epoch
    on, uses complete images, and takes masks of the vehicle itself. The fraction of pixels with a
    depth is logged as `pseudo_depth_known`.

    Args:
        config, checkpoint: config and checkpoint of the depth model.
        image_size: (height, width) of the original images, of all cameras; None for those of the
            info file.
        **kwargs: arguments of `PseudoDepth`.
    """

    def __init__(
        self, config: str, checkpoint: str, image_size: tuple[int, int] | None = None, **kwargs
    ) -> None:
        if not checkpoint:
            raise ConfigError(
                'OnlinePseudoDepthHook: expected the checkpoint of a trained depth model, got '
                f'{checkpoint!r}: depth of random weights cannot supervise a detector'
            )
        self.config, self.checkpoint, self.kwargs = config, checkpoint, kwargs
        self.image_size = image_size
        self.view = None

    def before_train(self, runner: Runner) -> None:
        """Load the model."""
        model = unwrapped(runner.model)
        targets = [
            target
            for target in model.img_view_transformer.depth_net.depth_targets
            if hasattr(target, 'source')
        ]
        if not targets:
            raise ConfigError(
                'OnlinePseudoDepthHook: expected a depth net with a PseudoDepthTarget in its '
                'depth_supervision, got none'
            )
        depth_model = init_depth_model(self.config, self.checkpoint)
        source = PseudoDepth(depth_model, **{'scale': default_scale(depth_model), **self.kwargs})
        self.view = ModelView(source, self.image_size or _image_sizes(runner))
        for target in targets:
            target.source = self.view

    def after_train_iter(self, runner: Runner, *_, **__) -> None:
        """Log the fraction of pixels with a depth in the last batch."""
        if self.view.known is not None:
            runner.message_hub.update_scalar('train/pseudo_depth_known', self.view.known)


def _image_sizes(runner: Runner) -> list[tuple[int, int]]:
    """(height, width) of the images of each camera, of the training data set's first sample.

    Raises:
        ConfigError: the data set does not know them.
    """
    dataset = runner.train_dataloader.dataset
    while hasattr(dataset, 'dataset'):  # a wrapper
        dataset = dataset.dataset
    sizes = dataset.get_data_info(0).get('img_size') if hasattr(dataset, 'get_data_info') else None
    if not sizes or None in (side for size in sizes for side in size):
        raise ConfigError(
            'OnlinePseudoDepthHook: expected an info file with the width and height of the images, '
            'got one without; give image_size=(HEIGHT, WIDTH), or make the file again with: '
            'hybrid-depth create-nuscenes-infos, or rig import'
        )
    return [(height, width) for width, height in sizes]
