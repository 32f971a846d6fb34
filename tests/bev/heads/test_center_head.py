"""Parity of the head with official BEVDet: targets, losses, decoding, Scale-NMS."""

import copy
import json

import pytest
import torch
from mmdet3d.registry import MODELS
from mmdet3d.structures import LiDARInstance3DBoxes
from mmengine import Config
from mmengine.structures import InstanceData

import hybrid_depth.modules  # noqa: F401  registers the head
from hybrid_depth.bev.heads.centre_probability import centre_probability
from tests.golden.bevdet import check_head_losses, feature, ground_truth
from tests.golden.reader import Golden

GOLDEN = Golden('bevdet_head')
HEAD = Config.fromfile('configs/_base_/models/bevdet_r50.py').model.pts_bbox_head
SIX_FACTORS = [[1.0], [0.7, 0.7], [0.4, 0.55], [1.1], [1.0, 1.0], [4.5, 9.0]]
CHANNELS = dict(reg=2, height=1, dim=3, rot=2, vel=2)


def build_head(**options):
    cfg = copy.deepcopy(HEAD)  # updates of a config change what a shallow copy shares
    cfg.update(options)
    return MODELS.build(cfg)


def fixed_outputs(task: int, num_classes: int) -> dict[str, torch.Tensor]:
    """The golden note's fixed head outputs of one task."""
    noise = {
        name: feature(f'head.{task}.{name}', (1, c, 128, 128))
        for name, c in dict(CHANNELS, heatmap=num_classes).items()
    }
    maps = dict(
        reg=0.3 * noise['reg'] + 0.5,
        height=3 * noise['height'] - 1,
        dim=0.35 * noise['dim'] + 0.9,
        rot=noise['rot'],
        vel=2 * noise['vel'],
        heatmap=1.5 * noise['heatmap'] - 9,
    )
    maps['heatmap'][..., 40:80, 30:90] += 4.2
    return maps


def six_task_head():
    """BEVDet's head of six tasks with NMS per task."""
    official = json.loads(str(GOLDEN.array('six.config')))
    tasks = [dict(num_class=len(t), class_names=t) for t in official.pop('tasks')]
    official['nms_rescale_factor'] = SIX_FACTORS
    return build_head(tasks=tasks, test_cfg=dict(HEAD.test_cfg, **official))


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_targets(view):
    heatmaps, boxes, inds, masks = build_head().get_targets([ground_truth(view)])
    n = GOLDEN[f'{view}.ind'].shape[1]
    GOLDEN.check(f'{view}.heatmap', heatmaps[0], 1e-6)
    GOLDEN.check(f'{view}.anno_box', boxes[0][:, :n], 1e-6)
    GOLDEN.check(f'{view}.ind', inds[0][:, :n], 0)
    GOLDEN.check(f'{view}.mask', masks[0][:, :n], 0)
    assert masks[0][:, n:].sum() == 0


def test_targets_of_six_tasks():
    heatmaps, _, _, masks = six_task_head().get_targets([ground_truth('test')])
    for task, (heatmap, mask) in enumerate(zip(heatmaps, masks, strict=True)):
        GOLDEN.check(f'six.heatmap{task}', heatmap, 1e-6)
        GOLDEN.check(f'six.counts{task}', mask.sum(), 0)


@pytest.mark.parametrize('view', ['test', 'aug'])
@pytest.mark.parametrize('recipe', ['bevdet-r50', 'bevdet-r50-4d-depth-cbgs'])
def test_losses_and_gradients(view, recipe):
    if recipe == 'bevdet-r50':
        head = build_head()
    else:
        head = build_head(
            loss_cls=dict(type='mmdet.GaussianFocalLoss', reduction='mean', loss_weight=6.0),
            loss_bbox=dict(type='mmdet.L1Loss', reduction='mean', loss_weight=1.5),
            train_cfg=dict(HEAD.train_cfg, code_weights=[1.0] * 10),
        )
    maps = {name: value.requires_grad_() for name, value in fixed_outputs(0, 10).items()}
    copies = {name: value.clone() for name, value in maps.items()}  # the sigmoid is in place
    losses = head.loss_by_feat(([copies],), [ground_truth(view)])
    sum(losses.values()).backward()
    check_head_losses(GOLDEN, f'{view}.{recipe}', losses, 1e-5)
    for name, value in maps.items():
        GOLDEN.check(f'{view}.{recipe}.grad.{name}', value.grad, 1e-5)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_losses_of_half_precision_maps(dtype):
    """Confident cells, which half precision would clip to a probability of one."""
    head = build_head()
    maps = {name: value.to(dtype) for name, value in fixed_outputs(0, 10).items()}
    maps['heatmap'] += 14
    full = {name: value.float() for name, value in maps.items()}
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = head.loss_by_feat(([maps],), [ground_truth('test')])
    expected = head.loss_by_feat(([full],), [ground_truth('test')])
    for name, loss in losses.items():
        torch.testing.assert_close(loss, expected[name], rtol=1e-5, atol=0)


@pytest.mark.parametrize('variant', ['one', 'six'])
def test_decoding_and_scale_nms(variant):
    head, decoded = build_head() if variant == 'one' else six_task_head(), []
    decode = head.bbox_coder.decode
    head.bbox_coder.decode = lambda *maps, **given: (
        decoded.extend(decode(*maps, **given)) or [decoded[-1]]
    )
    maps = tuple([fixed_outputs(t, n)] for t, n in enumerate(head.num_classes))
    (result,) = head.predict_by_feat(maps, [dict(box_type_3d=LiDARInstance3DBoxes)])
    for task, boxes in enumerate(decoded):
        for name, value in boxes.items():
            GOLDEN.check(f'{variant}.decoded{task}.{name}', value, 1e-6)
    GOLDEN.check(f'{variant}.boxes', result.bboxes_3d.tensor, 1e-6)
    GOLDEN.check(f'{variant}.scores', result.scores_3d, 1e-6)
    GOLDEN.check(f'{variant}.labels', result.labels_3d, 0)


@pytest.mark.parametrize('nms_type', ['rotate', 'circle'])
def test_samples_of_a_batch_do_not_suppress_each_other(nms_type):
    head = build_head(
        test_cfg=dict(HEAD.test_cfg, nms_type=nms_type, min_radius=[4], post_max_size=30)
    )
    one = fixed_outputs(0, 10)
    none = {name: value - 100 * (name == 'heatmap') for name, value in one.items()}
    other = {name: value.flip(-1) for name, value in one.items()}
    meta = dict(box_type_3d=LiDARInstance3DBoxes)

    def predict(*samples: dict) -> list[InstanceData]:
        batch = {name: torch.cat([sample[name] for sample in samples]) for name in one}
        return head.predict_by_feat(([batch],), [meta] * len(samples))

    batch = predict(one, none, one, other)
    assert [len(result) for result in batch] == [30, 0, 30, 30]
    for sample, result in zip((one, none, one, other), batch, strict=True):
        (alone,) = predict(sample)
        assert torch.equal(result.bboxes_3d.tensor, alone.bboxes_3d.tensor)
        assert torch.equal(result.scores_3d, alone.scores_3d)
        assert torch.equal(result.labels_3d, alone.labels_3d)


def test_only_the_best_boxes_enter_rotated_nms():
    head = build_head(test_cfg=dict(HEAD.test_cfg, pre_max_size=3))
    maps = fixed_outputs(0, 10)
    (result,) = head.predict_by_feat(([maps],), [dict(box_type_3d=LiDARInstance3DBoxes)])
    best = maps['heatmap'].sigmoid().flatten().topk(3).values
    assert 1 <= len(result) <= 3 and torch.isin(result.scores_3d, best).all()


def test_no_detection_gives_empty_results():
    head = build_head()
    maps = fixed_outputs(0, 10)
    maps['heatmap'] = maps['heatmap'] - 100
    (result,) = head.predict_by_feat(([maps],), [dict(box_type_3d=LiDARInstance3DBoxes)])
    assert len(result.bboxes_3d) == len(result.scores_3d) == len(result.labels_3d) == 0
    assert result.bboxes_3d.tensor.shape == (0, 9)


def test_initial_heat_maps_have_the_prior():
    # mmdet3d 1.4 never initialises the task heads: the first heat map loss was 4700.
    head = build_head()
    head.init_weights()
    with torch.no_grad():
        heatmap = head([torch.randn(1, 256, 16, 16)])[0][0]['heatmap']
    assert (heatmap + 2.19).abs().max() < 1


def test_only_peaks_are_decoded():
    # A cone on 1.28 m cells was decoded as a row of boxes without overlap.
    scores = torch.zeros(1, 2, 8, 8)
    scores[0, 0, 4, 3:6] = torch.tensor([0.5, 0.9, 0.6])
    scores[0, 1, 4, 5] = 0.4  # a neighbouring cell of another class
    head = build_head()
    assert torch.equal(head._peaks(scores), scores)
    head.test_cfg['peak_kernel'] = 3
    assert head._peaks(scores).nonzero().tolist() == [[0, 0, 4, 4], [0, 1, 4, 5]]


def test_scores_are_heat_or_the_probability_of_a_centre():
    maps, metas = fixed_outputs(0, 10), [dict(box_type_3d=LiDARInstance3DBoxes)]
    head = build_head(bbox_coder=dict(HEAD.bbox_coder, score_threshold=0.05))
    (heat,) = head.predict_by_feat(([maps],), metas)
    head.test_cfg['scores'] = 'probability'
    head.bbox_coder.score_threshold = centre_probability(torch.tensor(0.05)).item()
    (result,) = head.predict_by_feat(([maps],), metas)
    torch.testing.assert_close(result.bboxes_3d.tensor, heat.bboxes_3d.tensor)
    torch.testing.assert_close(result.scores_3d, centre_probability(heat.scores_3d))
    head.test_cfg['scores'] = 'calibrated'
    with pytest.raises(ValueError, match="'heat' or 'probability' in test_cfg, got 'calibrated'"):
        head.predict_by_feat(([maps],), metas)
