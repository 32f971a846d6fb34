"""View transformer: lift and splat of image features into the BEV grid."""

from __future__ import annotations

from mmdet3d.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor

from ...geometry import CameraRig, DepthBins, VoxelGrid, create_frustum
from ...ops import PoolingPlan, bev_pool
from ..depth_nets.base import DepthDistribution
from ..parts import BEVSpace


@MODELS.register_module()
class LSSViewTransformer(BaseModule):
    """View transformer: lift of image features by predicted depth, pooled into voxels (LSS).

    Args:
        grid: ``VoxelGrid`` config, ego frame.
        depth_bins: ``DepthBins`` config, shared with supervision.
        image_size: (H, W) of the network image.
        in_channels: image feature channels.
        context_channels: lifted channels C.
        depth_net: depth net config; ``in_channels``, ``context_channels`` and ``bins`` are filled
            in.
        stride: pixels per feature cell.
        frustum_align: ``corners`` (official weights) or ``centres``, see ``create_frustum``.
        pool_backend: see ``bev_pool``.
        log_scale: apply sign(x) log(1 + |x|) to the pooled sums. The number of pixels per cell
            decreases with the square of the distance, so sums span three orders of magnitude, and
            short trainings only learn the near field. Off in LSS and for official weights.
        kept_plans: pooling plans that are kept on a CPU. One serves a fixed rig; a training set
            without random augmentation that fits in memory may keep the plan of every batch.

    Attributes:
        space: grid and bins, shared with depth net, refinement and temporal part.
    """

    def __init__(
        self,
        grid: dict,
        depth_bins: dict,
        image_size: tuple[int, int],
        in_channels: int,
        context_channels: int,
        depth_net: dict,
        stride: int = 16,
        frustum_align: str = 'centres',
        pool_backend: str = 'auto',
        log_scale: bool = False,
        kept_plans: int = 1,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        self.grid, self.bins = VoxelGrid(**grid), DepthBins(**depth_bins)
        self.space = BEVSpace(self.grid, self.bins, tuple(image_size), context_channels)
        self.pool_backend = pool_backend
        self.log_scale = log_scale
        self.depth_net = MODELS.build(
            dict(
                depth_net,
                in_channels=in_channels,
                context_channels=context_channels,
                bins=self.bins,
            )
        )
        feat_size = (image_size[0] // stride, image_size[1] // stride)
        frustum = create_frustum(self.bins.anchors, feat_size, image_size, frustum_align)
        self.register_buffer('frustum', frustum, persistent=False)
        self.kept_plans = kept_plans
        self._plans: dict[bytes, PoolingPlan] = {}  # the last used one is the last
        self._last: tuple[CameraRig | None, PoolingPlan | None] = None, None

    def forward(
        self,
        image_feats: Tensor,
        images: Tensor,
        rig: CameraRig,
        lift_rig: CameraRig | None = None,
        physics_depth: Tensor | None = None,
    ) -> tuple[Tensor, DepthDistribution]:
        """Lift image features and pool them.

        Args:
            image_feats: (B, N, C_in, h, w).
            images: (B, N, 3, H, W) RGB in [0, 1], for depth nets with an encoder.
            rig: B x N cameras.
            lift_rig: the same cameras relative to another target ego frame, for earlier frames;
                None for ``rig``.
            physics_depth: (B, N, H, W) embodied depth, for depth nets that take it.

        Returns:
            (B, Z * C, Y, X) BEV map and the depth distribution.

        Raises:
            ValueError: the feature map does not have the size of the frustum.
        """
        h, w = image_feats.shape[-2:]
        if (h, w) != tuple(self.frustum.shape[1:3]):
            raise ValueError(
                f'LSSViewTransformer: expected {tuple(self.frustum.shape[1:3])} feature cells, got '
                f'{(h, w)}; check image_size and stride against the image pipeline and the neck'
            )
        distribution = self.depth(image_feats.flatten(0, 1), images, rig, physics_depth)
        plan = self.pooling_plan(rig) if lift_rig is None else self._plan(lift_rig)
        return self.splat(distribution, plan), distribution

    def splat(self, distribution: DepthDistribution, plan: PoolingPlan) -> Tensor:
        """Pool the features of B * N images into the BEV map (B, Z * C, Y, X)."""
        shape = (-1, plan.ranks.shape[1])
        logits = distribution.logits.unflatten(0, shape)
        context = distribution.context.unflatten(0, shape)
        bev = bev_pool(logits, context, plan, self.pool_backend, softmax=True)
        return bev.sign() * bev.abs().log1p() if self.log_scale else bev

    def depth(
        self, image_feats: Tensor, images: Tensor, rig: CameraRig, physics_depth: Tensor | None
    ) -> DepthDistribution:
        """Depth net on (B * N, C_in, h, w) features; other arguments as of ``forward``."""
        takes = getattr(self.depth_net, 'takes_physics_depth', False)
        given = dict(physics_depth=physics_depth) if takes else {}
        return self.depth_net(image_feats, images, rig, **given)

    def pooling_plan(self, rig: CameraRig) -> PoolingPlan:
        """Pooling plan; kept for the same rig, and for `kept_plans` calibrations.

        On other devices only for the same object: comparing calibrations would make the host wait
        for the device, which makes a new plan in less time.
        """
        last, plan = self._last
        if rig is last:
            return plan
        if rig.cam2img.device.type != 'cpu':
            plan = self._plan(rig)
        else:
            key = rig.geometry_key()
            plan = self._plans.pop(key, None) or self._plan(rig)
            self._plans[key] = plan
            if len(self._plans) > self.kept_plans:
                del self._plans[next(iter(self._plans))]
        self._last = rig, plan
        return plan

    def _plan(self, rig: CameraRig) -> PoolingPlan:
        return PoolingPlan.from_frustum(self.frustum, rig, self.grid)
