"""Base class of depth models whose weights have a name."""

from __future__ import annotations

from typing import Any

from mmengine.logging import print_log

from ....errors import ConfigError
from ....foundation.transformers_models import licence_of
from ....geometry.depth_map import DepthKind
from ..base import DepthEstimator

NEAREST = 0.01  # metres
RANGE = 1000  # of disparities in an image; networks give 0 to the sky


class NamedDepth(DepthEstimator):
    """Depth foundation model by name, for inference only.

    Args:
        name: folder, or name on huggingface.co.
        data_preprocessor, init_cfg: see `DepthEstimator`.

    Attributes:
        family: architecture.
        kind: of the output, see `DepthMap`.
        focal_rule: 'given': the metres follow the focal length of `cameras`; 'none': the network
            does not know the focal length, and its metres hold for cameras such as those that it
            was trained on.
        licence: of the weights, as its model card has it (docs/reference/teachers.md, "Licences");
            None if unknown.
    """

    #: `hybrid-depth test` needs no checkpoint.
    training_free = True
    weights_by_name = True
    family: str
    kind: DepthKind
    focal_rule: str

    def __init__(
        self, name: str, data_preprocessor: dict | None = None, init_cfg: dict | None = None
    ) -> None:
        super().__init__(
            None,
            None,
            min_depth=NEAREST,
            max_depth=NEAREST * RANGE**2,
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg,
        )
        self.name, self.licence = name, licence_of(name)

    def report(self) -> None:
        """Log what the model is."""
        print_log(
            f'{self.name}: {self.family}, {self.kind} depth, licence of the weights: '
            f'{self.licence or "not stated, ask their authors"}',
            logger='current',
        )

    def loss(self, inputs: dict, data_samples: Any = None) -> dict:
        """Raises ConfigError: the model is not trained here."""
        raise ConfigError(
            f'{type(self).__name__}: expected inference, got a training step of {self.name}; train '
            'another model on its depth (hybrid-depth make-pseudo-depth)'
        )
