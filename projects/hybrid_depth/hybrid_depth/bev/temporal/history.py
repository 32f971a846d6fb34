"""Fusion of BEV maps along sequences of key frames, as part of a detector."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet3d.registry import TASK_UTILS
from mmdet3d.structures import Det3DDataSample
from torch import Tensor

from ..parts import BEVSpace, Lift
from .history_fusion import HistoryFusion, Moment


@TASK_UTILS.register_module()
class History:
    """Recurrent fusion of the BEV maps of earlier key frames by ``HistoryFusion`` (FB-OCC).

    Args:
        space: of the detector.
        num_frames, warp_align, norm_cfg: see ``HistoryFusion``.

    Attributes:
        enabled: False fuses every map with copies of itself; see ``SequentialControlHook``.
    """

    def __init__(self, space: BEVSpace, **options):
        self.space, self.enabled = space, True
        self.modules = {'history_fusion': HistoryFusion(space.grid, space.channels, **options)}

    def __call__(
        self, bev: Tensor, inputs: dict, samples: Sequence[Det3DDataSample] | None, lift: Lift
    ) -> Tensor:
        """Fuse a map with those of earlier frames.

        Args:
            bev: (B, Z * C, Y, X).
            inputs: of ``BEVDataPreprocessor``.
            samples: of the batch, each the next key frame of its sequence.
            lift: not used; earlier maps are kept from earlier calls.

        Returns:
            (B, Z * C, Y, X).

        Raises:
            ValueError: samples without a sequence, or out of order (see ``HistoryFusion``).
        """
        infos = [sample.metainfo for sample in samples or ()]
        if len(infos) < len(bev) or any('sequence' not in info for info in infos):
            raise ValueError(
                'History: expected samples of sequences, got some without; set sequence_length of '
                'NuScenesBEVDataset'
            )
        moments = [Moment(*info['sequence'], info['timestamp']) for info in infos]
        voxels = self.modules['history_fusion'](
            self.space.to_voxels(bev), moments, inputs['rig'], alone=not self.enabled
        )
        return self.space.to_bev(voxels)
