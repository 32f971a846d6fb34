"""CenterPoint head with scale-NMS."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet3d.models.dense_heads import CenterHead
from mmdet3d.models.layers import circle_nms
from mmdet3d.models.utils import clip_sigmoid
from mmdet3d.registry import MODELS
from mmengine.structures import InstanceData
from torch import Tensor

from ...ops import rotated_nms
from .center_targets import center_targets
from .centre_probability import centre_probability


@MODELS.register_module()
class ScaleNMSCenterHead(CenterHead):
    """mmdet3d's ``CenterHead`` with BEVDet's Scale-NMS.

    Source: docs/reference/bevdet.md, "Head and suppression". Additional entries of ``test_cfg``,
    each one value for all tasks or a list with one value per task:

    - ``nms_type``: ``rotate`` or ``circle`` (circle compares *squared* distances);
    - ``nms_thr``: IoU threshold of ``rotate``;
    - ``nms_rescale_factor``: per task, one factor for each class, applied to the BEV size of the
      boxes before rotated NMS only;
    - ``peak_kernel``: odd window size in cells; only local maxima of each class in such a window
      are decoded, as in CenterNet. Small boxes on coarse cells do not overlap, so rotated NMS would
      keep several per object. Not used by official BEVDet;
    - ``scores``: ``heat``, the default, for the heat of the cell, as official BEVDet; or
      ``probability``, for what that heat says of the probability of a centre in it
      (`centre_probability`), in the same order. ``score_threshold`` of the coder applies to it.
    """

    def init_weights(self) -> None:
        """Kaiming initialisation of convolutions, prior bias of heat maps.

        mmdet3d 1.4 keeps the task heads in a torch ``ModuleList``, which ``init_weights`` does not
        visit, so the prior (``init_bias``) was never set. The last convolution is initialised near
        zero, as Kaiming's scale would outweigh the prior.
        """
        super().init_weights()
        for task in self.task_heads:
            task.init_weights()
            torch.nn.init.normal_(task.heatmap[-1].weight, std=0.01)

    def get_targets_single(self, gt_instances_3d: InstanceData) -> tuple[list[Tensor], ...]:
        """Per task: heat map, box targets, cells and mask of one sample (``center_targets``)."""
        boxes, labels = gt_instances_3d.bboxes_3d, gt_instances_3d.labels_3d
        boxes = torch.cat((boxes.gravity_center, boxes.tensor[:, 3:]), 1).to(labels.device)
        targets, first = [], 0
        for num_classes in self.num_classes:
            classes = labels - first
            chosen = ((classes >= 0) & (classes < num_classes)).nonzero().squeeze(1)
            chosen = chosen[classes[chosen].argsort(stable=True)]
            targets.append(
                center_targets(
                    boxes[chosen], classes[chosen], num_classes, self.train_cfg, self.norm_bbox
                )
            )
            first += num_classes
        return tuple(map(list, zip(*targets, strict=True)))

    def loss_by_feat(
        self, preds_dicts: tuple[list[dict]], batch_gt_instances_3d: list[InstanceData], **kwargs
    ) -> dict[str, Tensor]:
        """mmdet3d's losses, in float32 also in autocast, without waiting for the device.

        Half precision rounds the upper limit of the heat map, 1 - 1e-4, to 1, which makes the loss
        near a centre infinite. mmdet3d's function waits for the number of boxes of each task.
        """
        losses = {}
        with torch.autocast(preds_dicts[0][0]['heatmap'].device.type, enabled=False):
            targets = zip(*self.get_targets(batch_gt_instances_3d), strict=True)
            for task, ((maps,), target) in enumerate(zip(preds_dicts, targets, strict=True)):
                maps = {name: x.float() for name, x in maps.items()}
                heatmap, boxes = self._task_losses(maps, *target)
                losses[f'task{task}.loss_heatmap'] = heatmap
                losses[f'task{task}.loss_bbox'] = boxes
        return losses

    def _task_losses(
        self, maps: dict, heatmap: Tensor, boxes: Tensor, cells: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Losses of a task's maps (B, c, Y, X) and its targets, stacked `center_targets`."""
        centres = heatmap.eq(1).float().sum().clamp(min=1)
        heatmap_loss = self.loss_cls(clip_sigmoid(maps['heatmap']), heatmap, avg_factor=centres)
        found = torch.cat([maps[name] for name in ('reg', 'height', 'dim', 'rot', 'vel')], 1)
        cells = cells[:, None].expand(-1, found.shape[1], -1)
        found = found.flatten(2).gather(2, cells).transpose(1, 2)
        mask = mask.float()
        weights = mask[..., None] * (~boxes.isnan()).float()
        weights = weights * weights.new_tensor(self.train_cfg['code_weights'])
        return heatmap_loss, self.loss_bbox(found, boxes, weights, avg_factor=mask.sum() + 1e-4)

    def predict_by_feat(
        self, preds_dicts: tuple[list[dict]], batch_input_metas: list[dict], *args, **kwargs
    ) -> list[InstanceData]:
        """Decode boxes and apply NMS.

        Args:
            preds_dicts: per task, a list with the maps (B, c, Y, X) of one level.
            batch_input_metas: per sample, with ``box_type_3d``.

        Returns:
            Per sample: ``bboxes_3d`` (bottom centre, frame of the BEV map), ``scores_3d``,
            ``labels_3d``.
        """
        per_task = [
            self._detect_task(task, level, batch_input_metas)
            for task, (level,) in enumerate(preds_dicts)
        ]
        results = []
        for meta, detections in zip(batch_input_metas, zip(*per_task, strict=True), strict=True):
            boxes, scores, labels = (torch.cat(parts) for parts in zip(*detections, strict=True))
            boxes[:, 2] -= boxes[:, 5] * 0.5  # gravity centre to bottom
            results.append(
                InstanceData(
                    bboxes_3d=meta['box_type_3d'](boxes, self.bbox_coder.code_size),
                    scores_3d=scores,
                    labels_3d=labels,
                )
            )
        return results

    def _detect_task(self, task: int, maps: dict, metas: list[dict]) -> list[tuple[Tensor, ...]]:
        """Boxes (n, 9), scores and labels of all classes, per sample."""
        decoded = self.bbox_coder.decode(
            self._scores(maps['heatmap']),
            maps['rot'][:, 0:1],
            maps['rot'][:, 1:2],
            maps['height'],
            maps['dim'].exp() if self.norm_bbox else maps['dim'],
            maps['vel'],
            reg=maps['reg'],
            task_id=task,
        )
        boxes, scores, labels = (
            torch.cat([sample[name] for sample in decoded])
            for name in ('bboxes', 'scores', 'labels')
        )
        sizes = torch.tensor([len(sample['scores']) for sample in decoded], device=boxes.device)
        samples = torch.arange(len(sizes), device=boxes.device).repeat_interleave(sizes)
        labels = labels.long()
        if self._task_option('nms_type', task) == 'circle':
            kept = self._circle_nms(task, boxes, scores, samples)
        else:
            kept = self._rotated_nms(task, boxes, scores, labels, samples, metas[0]['box_type_3d'])
        labels = labels.int() + sum(self.num_classes[:task])
        per_sample = samples[kept].bincount(minlength=len(sizes)).tolist()
        return [(boxes[k], scores[k], labels[k]) for k in kept.split(per_sample)]

    def _scores(self, heatmap: Tensor) -> Tensor:
        """Scores (B, C, Y, X) of the cells, from the logits of the heat map."""
        heat = self._peaks(heatmap.sigmoid())
        return centre_probability(heat) if self.probability_scores else heat

    @property
    def probability_scores(self) -> bool:
        """Whether scores are probabilities of a centre (``scores`` of ``test_cfg``)."""
        scores = self.test_cfg.get('scores', 'heat')
        if scores not in ('heat', 'probability'):
            raise ValueError(
                f"ScaleNMSCenterHead: expected scores='heat' or 'probability' in test_cfg, got "
                f'{scores!r}'
            )
        return scores == 'probability'

    def _peaks(self, scores: Tensor) -> Tensor:
        """Scores (B, C, Y, X), zero outside local maxima if ``peak_kernel`` is set."""
        kernel = self.test_cfg.get('peak_kernel')
        if kernel is None:
            return scores
        highest = F.max_pool2d(scores, kernel, stride=1, padding=kernel // 2)
        return scores * (scores == highest)

    def _circle_nms(self, task: int, boxes: Tensor, scores: Tensor, samples: Tensor) -> Tensor:
        """Indices of the boxes kept, by sample, best first."""
        kept = [samples.new_zeros(0)]
        for sample in samples.unique():
            members = (samples == sample).nonzero().squeeze(1)
            centres = torch.cat((boxes[members, :2], scores[members, None]), 1).detach()
            kept_members = circle_nms(
                centres.cpu().numpy(),
                self.test_cfg['min_radius'][task],
                post_max_size=self.test_cfg['post_max_size'],
            )
            kept.append(members[kept_members])
        return torch.cat(kept)

    def _rotated_nms(
        self,
        task: int,
        boxes: Tensor,
        scores: Tensor,
        labels: Tensor,
        samples: Tensor,
        box_type: type,
    ) -> Tensor:
        """Indices of the boxes kept, by sample, best first; boxes are rescaled by class before."""
        factors = boxes.new_tensor(self._task_option('nms_rescale_factor', task, nested=True))
        scaled = boxes.clone()
        scaled[:, 3:6] *= factors[labels].unsqueeze(1)
        return rotated_nms(
            box_type(scaled, self.bbox_coder.code_size).bev,
            scores,
            self._task_option('nms_thr', task),
            groups=samples,
            pre_max_size=self.test_cfg['pre_max_size'],
            post_max_size=self.test_cfg['post_max_size'],
        )

    def _task_option(self, name: str, task: int, nested: bool = False):
        value = self.test_cfg[name]
        return value[task] if nested or isinstance(value, (list, tuple)) else value
