"""BEVDet with optional refinement and temporal fusion."""

from __future__ import annotations

from mmdet3d.models.detectors import Base3DDetector
from mmdet3d.registry import MODELS, TASK_UTILS
from mmdet3d.structures import Det3DDataSample
from mmengine.structures import PixelData
from torch import Tensor

from ..depth_nets.base import DepthDistribution
from ..parts import Frame, Part
from ..structures import ego_to_lidar_boxes


@MODELS.register_module()
class BEVDet(Base3DDetector):
    """Camera-only 3D detector: lift, splat, BEV encoder, centre head (BEVDet, arXiv 2112.11790).

    Optional refinement (FB-BEV) and temporal fusion (BEVDet4D, FB-OCC) of the BEV map before the
    BEV encoder. Works in the data set's ego frame; ``predict`` returns boxes in the LiDAR frame
    (inverse of the sample's ``lidar2boxes``), as mmdet3d's metrics expect. Attribute names are
    those of official dev2/dev3 checkpoints (docs/reference/bevdet.md, "Checkpoint keys").

    Args:
        img_backbone, img_neck: image backbone and neck; of several maps the first is used.
        img_view_transformer: ``LSSViewTransformer`` config with the ``depth_net``.
        img_bev_encoder_backbone, img_bev_encoder_neck: BEV encoder.
        pts_bbox_head: ``ScaleNMSCenterHead`` config.
        refine: ``DepthAwareRefinement`` config, or None.
        temporal: ``AdjacentFrames`` or ``History`` config, or None.
        data_preprocessor: ``BEVDataPreprocessor`` config.
    """

    def __init__(
        self,
        img_backbone: dict,
        img_neck: dict,
        img_view_transformer: dict,
        img_bev_encoder_backbone: dict,
        img_bev_encoder_neck: dict,
        pts_bbox_head: dict,
        refine: dict | None = None,
        temporal: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(
            data_preprocessor=data_preprocessor or dict(type='mmdet3d.BEVDataPreprocessor'),
            init_cfg=init_cfg,
        )
        self.img_backbone = MODELS.build(img_backbone)
        self.img_neck = MODELS.build(img_neck)
        self.img_view_transformer = MODELS.build(img_view_transformer)
        self.img_bev_encoder_backbone = MODELS.build(img_bev_encoder_backbone)
        self.img_bev_encoder_neck = MODELS.build(img_bev_encoder_neck)
        self.pts_bbox_head = MODELS.build(pts_bbox_head)
        self.refine, self.temporal = self._build_part(refine), self._build_part(temporal)
        #: Weights of the losses of the depth net and of all others; losses of weight 0 are skipped.
        self.loss_weights = dict(depth=1.0, detection=1.0)

    def _build_part(self, cfg: dict | None) -> Part | None:
        if cfg is None:
            return None
        part = TASK_UTILS.build(dict(cfg, space=self.img_view_transformer.space))
        for name, module in part.modules.items():
            self.add_module(name, module)
        return part

    def extract_img_feat(self, images: Tensor) -> Tensor:
        """(B, N, 3, H, W) RGB in [0, 1] -> (B, N, C, h, w)."""
        feats = self.img_neck(self.img_backbone(images.flatten(0, 1)))
        if isinstance(feats, (list, tuple)):
            feats = feats[0]
        return feats.unflatten(0, (-1, images.shape[1]))

    def lift(self, frame: Frame) -> tuple[Tensor, DepthDistribution]:
        """Images of one frame -> BEV map (B, Z * C, Y, X) and depth distribution."""
        features = self.extract_img_feat(frame.images)
        return self.img_view_transformer(
            features, frame.images, frame.rig, frame.lift_rig, frame.physics_depth
        )

    def encode(self, bev: Tensor) -> Tensor:
        """BEV encoder, (B, K, Y, X) -> (B, C, Y, X), the input of the head."""
        return self.img_bev_encoder_neck(self.img_bev_encoder_backbone(bev))

    def extract_feat(
        self, batch_inputs_dict: dict, batch_data_samples: list[Det3DDataSample] | None = None
    ) -> tuple[Tensor, DepthDistribution]:
        """Inputs of a batch -> encoded BEV map (B, C, Y, X) and depth distribution."""
        frame = Frame.of(batch_inputs_dict, batch_data_samples)
        bev, distribution = self.lift(frame)
        if self.refine is not None:
            bev, _ = self.refine(bev, distribution, frame.rig)
        if self.temporal is not None:
            bev = self.temporal(bev, batch_inputs_dict, batch_data_samples, self.lift)
        return self.encode(bev), distribution

    def loss(self, batch_inputs_dict: dict, batch_data_samples: list[Det3DDataSample], **kwargs):
        """Losses of head, refinement and depth net, weighted by ``loss_weights``."""
        frame, losses = Frame.of(batch_inputs_dict, batch_data_samples), {}
        truth = [sample.gt_instances_3d for sample in batch_data_samples]
        depth_net = self.img_view_transformer.depth_net
        if self.loss_weights['detection']:
            bev, distribution = self.lift(frame)
            if self.refine is not None:
                boxes = [instances.bboxes_3d for instances in truth]
                bev, losses = self.refine(bev, distribution, frame.rig, boxes)
            if self.temporal is not None:
                bev = self.temporal(bev, batch_inputs_dict, batch_data_samples, self.lift)
            losses = self.pts_bbox_head.loss([self.encode(bev)], batch_data_samples) | losses
            losses = _weighted(losses, self.loss_weights['detection'])
        else:
            features = self.extract_img_feat(frame.images).flatten(0, 1)
            distribution = self.img_view_transformer.depth(
                features, frame.images, frame.rig, frame.physics_depth
            )
        if self.loss_weights['depth']:
            targets = dict(batch_inputs_dict, gt_instances_3d=truth)
            depth_losses = depth_net.loss(distribution, targets)
            losses |= _weighted(depth_losses, self.loss_weights['depth'])
        return losses

    def predict(
        self, batch_inputs_dict: dict, batch_data_samples: list[Det3DDataSample], **kwargs
    ) -> list[Det3DDataSample]:
        """LiDAR-frame boxes in ``pred_instances_3d``; expected depth (N, h, w), metres, in
        ``pred_depth``, and ``gt_depth`` (N, H, W) if the pipeline loads it."""
        bev, distribution = self.extract_feat(batch_inputs_dict, batch_data_samples)
        maps = self.pts_bbox_head([bev])
        return self.detect(maps, distribution, batch_inputs_dict, batch_data_samples)

    def detect(
        self,
        maps: tuple[list[dict], ...],
        distribution: DepthDistribution,
        batch_inputs_dict: dict,
        batch_data_samples: list[Det3DDataSample],
    ) -> list[Det3DDataSample]:
        """Samples with detections from the head's maps and the depth distribution, as of
        ``predict``."""
        metas = [sample.metainfo for sample in batch_data_samples]
        results = self.pts_bbox_head.predict_by_feat(maps, metas)
        for sample, result in zip(batch_data_samples, results, strict=True):
            result.bboxes_3d = ego_to_lidar_boxes(result.bboxes_3d, sample.metainfo['lidar2boxes'])
        samples = self.add_pred_to_datasample(batch_data_samples, results)
        expected = self.img_view_transformer.bins.expectation(distribution.prob)
        shape = batch_inputs_dict['imgs'].shape[:2]
        for sample, depth in zip(samples, expected.unflatten(0, shape), strict=True):
            sample.pred_depth = PixelData(data=depth)
        for sample, depth in zip(samples, batch_inputs_dict.get('gt_depth', ()), strict=False):
            sample.gt_depth = PixelData(data=depth)
        return samples

    def _forward(self, batch_inputs_dict: dict, batch_data_samples=None, **kwargs):
        """Raw output maps of the head, per task."""
        return self.pts_bbox_head([self.extract_feat(batch_inputs_dict, batch_data_samples)[0]])


def _weighted(losses: dict[str, Tensor], weight: float) -> dict[str, Tensor]:
    """Weighted losses; entries that mmengine only logs (no ``loss`` in the name) are unchanged."""
    return {name: weight * value if 'loss' in name else value for name, value in losses.items()}
