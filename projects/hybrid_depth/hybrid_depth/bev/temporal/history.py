"""Recurrent temporal fusion of BEV maps along sequences of key frames."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet3d.registry import TASK_UTILS
from mmdet3d.structures import Det3DDataSample
from torch import Tensor

from ..parts import BEVSpace, Lift
from .history_fusion import HistoryFusion, SequencePosition


@TASK_UTILS.register_module()
class History:
    """Recurrent fusion of the BEV maps of earlier key frames by ``HistoryFusion`` (FB-OCC).

    Args:
        space: discretisation of the detector.
        num_frames, warp_align, norm_cfg: see ``HistoryFusion``.

    Attributes:
        enabled: False replaces the history by copies of the current map; see
            ``SequentialControlHook``.
    """

    def __init__(self, space: BEVSpace, **options):
        self.space, self.enabled = space, True
        self.modules = {'history_fusion': HistoryFusion(space.grid, space.channels, **options)}

    def __call__(
        self, bev: Tensor, inputs: dict, samples: Sequence[Det3DDataSample] | None, lift: Lift
    ) -> Tensor:
        """Fuse a BEV map with those of earlier frames.

        Args:
            bev: (B, Z * C, Y, X).
            inputs: output of ``BEVDataPreprocessor``.
            samples: data samples of the batch, each the next key frame of its sequence.
            lift: not used; maps of earlier calls are kept.

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
        positions = [SequencePosition(*info['sequence'], info['timestamp']) for info in infos]
        voxels = self.modules['history_fusion'](
            self.space.to_voxels(bev), positions, inputs['rig'], repeat_current=not self.enabled
        )
        return self.space.to_bev(voxels)
