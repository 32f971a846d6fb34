"""BEVDet on mmdet3d 1.4."""

from __future__ import annotations

import torch
from mmdet3d.models.detectors import Base3DDetector
from mmdet3d.registry import MODELS
from mmdet3d.structures import Det3DDataSample
from mmengine.structures import PixelData
from torch import Tensor

from ...depth.encoders.freezing import eval_frozen
from ...geometry import CameraRig
from ..depth_nets.base import DepthDistribution
from ..structures import ego_to_lidar_boxes


@MODELS.register_module()
class BEVDet(Base3DDetector):
    """Camera-only detector: lift, splat, BEV trunk, centre head (BEVDet, arXiv 2112.11790).

    Works in the ego frame of the key frame's LiDAR time; ``predict`` returns LiDAR-frame boxes, as
    mmdet3d's metrics expect. Attribute names equal those of official dev2/dev3 checkpoints
    (docs/reference/bevdet.md, "Checkpoint keys").

    Args:
        img_backbone, img_neck: image tower; the neck returns one map (or a list, the first counts).
        img_view_transformer: ``LSSViewTransformer`` config, with the ``depth_net`` to be swapped.
        img_bev_encoder_backbone, img_bev_encoder_neck: BEV trunk.
        pts_bbox_head: ``ScaleNMSCenterHead`` config.
        data_preprocessor: ``BEVDataPreprocessor`` config.
    """

    _looks_back = False  # `bev_loss` needs depth and context of the pictures

    def __init__(
        self,
        img_backbone: dict,
        img_neck: dict,
        img_view_transformer: dict,
        img_bev_encoder_backbone: dict,
        img_bev_encoder_neck: dict,
        pts_bbox_head: dict,
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
        self._depth_only = self._depth_frozen = False
        self._lifts: dict[str, tuple[CameraRig, tuple[Tensor, ...]]] | None = None

    def learn_depth_only(self) -> None:
        """From now on ``loss`` lifts nothing and gives the losses of the depth net.

        Raises:
            ValueError: the depth net has no supervision.
        """
        if not self.img_view_transformer.depth_net.depth_targets:
            raise ValueError(
                'BEVDet: expected a depth net with depth_supervision, to learn depth by itself; '
                'give it some, or leave DepthFirstHook out'
            )
        self._depth_only = True

    def freeze_depth(self, keep_lifts: bool = False) -> None:
        """From now on the image side holds still, and ``loss`` is that of the head.

        Args:
            keep_lifts: lift every keyframe once and keep its BEV map, (1, Z * C, Y, X), in memory
                (and depth and context, where they are looked at again). Only for pipelines that
                never change an image or a camera at random.
        """
        self._depth_only, self._depth_frozen = False, True
        if keep_lifts and self._lifts is None:
            self._lifts = {}
        for module in (self.img_backbone, self.img_neck, self.img_view_transformer):
            module.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> BEVDet:
        """Switch the mode; parts frozen by ``freeze_depth`` stay in eval mode."""
        super().train(mode)
        if mode and self._depth_frozen:
            eval_frozen(self)
        return self

    def extract_img_feat(self, images: Tensor) -> Tensor:
        """(B, N, 3, H, W) RGB in [0, 1] -> (B, N, C, h, w)."""
        feats = self.img_neck(self.img_backbone(images.flatten(0, 1)))
        if isinstance(feats, (list, tuple)):
            feats = feats[0]
        return feats.unflatten(0, images.shape[:2])

    def lift(self, batch_inputs_dict: dict) -> tuple[Tensor, DepthDistribution]:
        """Inputs of ``BEVDataPreprocessor`` -> (B, Z * C, Y, X) BEV map and depth."""
        images, rig = batch_inputs_dict['imgs'], batch_inputs_dict['rig']
        return self.img_view_transformer(self.extract_img_feat(images), images, rig)

    def encode(self, bev: Tensor) -> Tensor:
        """(B, Z * C, Y, X) BEV map -> (B, C, Y, X), what the head sees."""
        return self.img_bev_encoder_neck(self.img_bev_encoder_backbone(bev))

    def extract_feat(
        self, batch_inputs_dict: dict, batch_data_samples: list[Det3DDataSample] | None = None
    ) -> tuple[Tensor, DepthDistribution]:
        """Inputs of ``BEVDataPreprocessor`` -> (B, C, Y, X) encoded BEV map and depth."""
        bev, distribution = self.lift(batch_inputs_dict)
        return self.encode(bev), distribution

    def loss(self, batch_inputs_dict: dict, batch_data_samples: list[Det3DDataSample], **kwargs):
        """Losses of the BEV side and of the depth net, as far as they learn."""
        if self._depth_frozen:
            lifted = self._frozen_lift(batch_inputs_dict, batch_data_samples)
            return self.bev_loss(*lifted, batch_inputs_dict, batch_data_samples)
        losses, depth_net = {}, self.img_view_transformer.depth_net
        if self._depth_only:
            images, rig = batch_inputs_dict['imgs'], batch_inputs_dict['rig']
            distribution = depth_net(self.extract_img_feat(images).flatten(0, 1), images, rig)
        else:
            bev, distribution = self.lift(batch_inputs_dict)
            losses = self.bev_loss(bev, distribution, batch_inputs_dict, batch_data_samples)
        truth = [sample.gt_instances_3d for sample in batch_data_samples]
        losses.update(depth_net.loss(distribution, dict(batch_inputs_dict, gt_instances_3d=truth)))
        return losses

    def bev_loss(
        self,
        bev: Tensor,
        distribution: DepthDistribution | None,
        inputs: dict,
        samples: list[Det3DDataSample],
    ) -> dict[str, Tensor]:
        """Losses of what comes after the lift: here, of trunk and head."""
        return self.pts_bbox_head.loss([self.encode(bev)], samples)

    @torch.no_grad()
    def _frozen_lift(
        self, inputs: dict, samples: list[Det3DDataSample]
    ) -> tuple[Tensor, DepthDistribution | None]:
        """BEV map and depth (if it is looked at again) of the frozen image side, kept or made."""
        if self._lifts is None:
            return self.lift(inputs)
        tokens = [sample.metainfo['token'] for sample in samples]
        if not all(token in self._lifts for token in tokens):
            bev, distribution = self.lift(inputs)
            maps = [bev]
            if self._looks_back:
                maps += [distribution.logits, distribution.context]
            # split and joined along dim 0 only: the layout in memory stays, channels last for `bev`
            parts = zip(*(tensor.chunk(len(tokens)) for tensor in maps), strict=True)
            for index, (token, own) in enumerate(zip(tokens, parts, strict=True)):
                self._lifts[token] = (inputs['rig'].sample(index), own)
        for index, token in enumerate(tokens):
            if not self._lifts[token][0].same_geometry(inputs['rig'].sample(index)):
                raise ValueError(
                    f'BEVDet: expected keyframe {token} with the augmentation it was lifted with, '
                    'got another; turn random augmentation off, or keep_lifts of DepthFirstHook'
                )
        kept = zip(*(self._lifts[token][1] for token in tokens), strict=True)
        bev, *pictures = map(torch.cat, kept)
        return bev, DepthDistribution(*pictures) if pictures else None

    def predict(
        self, batch_inputs_dict: dict, batch_data_samples: list[Det3DDataSample], **kwargs
    ) -> list[Det3DDataSample]:
        """LiDAR-frame boxes in ``pred_instances_3d``; expected depth (N, h, w), metres, in
        ``pred_depth``, and beside it ``gt_depth`` (N, H, W) where the pipeline loads it."""
        bev, distribution = self.extract_feat(batch_inputs_dict, batch_data_samples)
        results = self.pts_bbox_head.predict([bev], batch_data_samples)
        for sample, result in zip(batch_data_samples, results, strict=True):
            result.bboxes_3d = ego_to_lidar_boxes(result.bboxes_3d, sample.metainfo['lidar2ego'])
        samples = self.add_pred_to_datasample(batch_data_samples, results)
        expected = self.img_view_transformer.bins.expectation(distribution.prob)
        shape = batch_inputs_dict['imgs'].shape[:2]
        for sample, depth in zip(samples, expected.unflatten(0, shape), strict=True):
            sample.pred_depth = PixelData(data=depth)
        for sample, depth in zip(samples, batch_inputs_dict.get('gt_depth', ()), strict=False):
            sample.gt_depth = PixelData(data=depth)
        return samples

    def _forward(self, batch_inputs_dict: dict, batch_data_samples=None, **kwargs):
        """Raw head maps, per task."""
        return self.pts_bbox_head([self.extract_feat(batch_inputs_dict, batch_data_samples)[0]])
