"""Classes of feature cells from LiDAR depth and boxes."""

import math

import torch
from matplotlib.path import Path
from mmdet3d.structures import LiDARInstance3DBoxes
from mmengine.structures import InstanceData

from hybrid_depth.bev.depth_nets.semantics import (
    SemanticHead,
    keep_nearest,
    lidar_classes,
    nearest_of_cell,
)
from hybrid_depth.geometry import CameraRig


def forward_rig(bda: torch.Tensor | None = None) -> CameraRig:
    """One camera 1.5 m above the ground facing ego x; 64 x 32 pixels, focal length 32."""
    cam2ego = torch.tensor(
        [[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]], dtype=torch.float64
    )
    cam2img = torch.tensor([[32, 0, 32], [0, 32, 16], [0, 0, 1]], dtype=torch.float64)
    eye = torch.eye(4, dtype=torch.float64)[None]
    return CameraRig(
        cam2img[None, None],
        cam2ego[None, None],
        torch.eye(3, dtype=torch.float64)[None, None],
        eye if bda is None else bda[None],
        eye,
    )


def one_box(y: float = 0.0) -> InstanceData:
    """A 4 m long, 2 m wide and high box of label 3, its rear face 8 m ahead."""
    box = torch.tensor([[10.0, y, 0, 4, 2, 2, 0, 0, 0]])
    return InstanceData(bboxes_3d=LiDARInstance3DBoxes(box, box_dim=9), labels_3d=torch.tensor([3]))


def depth_map() -> torch.Tensor:
    """A point on the box's rear, one above it, one beside it, one on the ground in front of it."""
    depth = torch.zeros(1, 1, 32, 64)
    depth[0, 0, 16, 32] = depth[0, 0, 4, 32] = depth[0, 0, 16, 50] = 8.0
    depth[0, 0, 28, 32] = 4.0
    return depth


def test_points_in_a_box_have_its_class():
    classes = lidar_classes(depth_map(), forward_rig(), [one_box()])
    assert classes[0, 0, 16, 32] == 4
    assert classes[0, 0, 4, 32] == classes[0, 0, 16, 50] == classes[0, 0, 28, 32] == 0
    assert (classes >= 0).sum() == 4


def test_bev_augmentation_transforms_points_and_boxes():
    bda = torch.diag(torch.tensor([-1.0, 1, 1, 1], dtype=torch.float64))
    truth = one_box()
    truth.bboxes_3d.flip('vertical')
    assert lidar_classes(depth_map(), forward_rig(bda), [truth])[0, 0, 16, 32] == 4
    assert lidar_classes(depth_map(), forward_rig(bda), [one_box()])[0, 0, 16, 32] == 0


def test_rotated_boxes_against_the_polygons_of_their_corners():
    """The reference is mmdet3d's corners; two boxes differ in size, heading and label."""
    tensor = torch.tensor(
        [[9.0, 2.0, 0, 5, 1.5, 1.2, 0.6, 0, 0], [12.0, -3.0, 0, 6, 2.5, 2.4, -1.1, 0, 0]]
    )
    labels = torch.tensor([2, 7])
    boxes = LiDARInstance3DBoxes(tensor, box_dim=9)
    depth = torch.empty(1, 1, 32, 64).uniform_(4, 18)
    found = lidar_classes(depth, forward_rig(), [InstanceData(bboxes_3d=boxes, labels_3d=labels)])

    v, u = torch.meshgrid(torch.arange(32.0), torch.arange(64.0), indexing='ij')
    x = depth[0, 0]
    y, z = (32 - u) / 32 * x, 1.5 + (16 - v) / 32 * x
    wide = tensor + torch.tensor([0, 0, 0, 0.2, 0.2, 0, 0, 0, 0])  # 10 cm at every side
    expected = torch.zeros(32, 64, dtype=torch.int64)
    for corners, box, label in zip(
        LiDARInstance3DBoxes(wide, box_dim=9).corners, tensor, labels, strict=True
    ):
        outline = corners[[0, 3, 7, 4], :2].numpy()  # of the bottom, in order
        under = Path(outline).contains_points(torch.stack((x, y), -1).flatten(0, 1).numpy())
        low_and_high = (z > 0.1) & (z < box[5] + 0.1)
        expected[torch.from_numpy(under).view(32, 64) & low_and_high] = label + 1
    assert torch.equal(found[0, 0], expected)
    assert min((expected == label + 1).sum() for label in labels) > 10


def test_no_boxes():
    truth = InstanceData(
        bboxes_3d=LiDARInstance3DBoxes(torch.zeros(0, 9), box_dim=9),
        labels_3d=torch.zeros(0, dtype=torch.int64),
    )
    assert lidar_classes(depth_map(), forward_rig(), [truth]).max() == 0


def test_the_nearest_point_of_a_cell_is_used():
    depth, classes = torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), -1)
    depth[0, 0, 0, 0], classes[0, 0, 0, 0] = 9.0, 0
    depth[0, 0, 1, 1], classes[0, 0, 1, 1] = 3.0, 5
    assert nearest_of_cell(depth, classes, (2, 2)).tolist() == [[[5, -1], [-1, -1]]]


def test_only_the_nearest_point_of_a_cell_is_labelled():
    depth = torch.zeros(1, 2, 4, 8)
    depth[0, 0, 0, 0], depth[0, 0, 1, 3], depth[0, 1, 3, 7] = 9.0, 3.0, 5.0
    kept = keep_nearest(depth, (2, 2))
    assert kept.nonzero().tolist() == [[0, 0, 1, 3], [0, 1, 3, 7]]
    assert kept[0, 0, 1, 3] == 3 and kept[0, 1, 3, 7] == 5


def test_loss_is_the_weighted_mean_over_cells_with_a_point():
    """Four cells: one of the box, two of background, one without a point."""
    depth = torch.zeros(1, 1, 32, 64)
    depth[0, 0, 15, 31] = 8.0  # on the box
    depth[0, 0, 4, 50], depth[0, 0, 28, 20] = 8.0, 4.0
    inputs = dict(gt_depth=depth, rig=forward_rig(), gt_instances_3d=[one_box()])
    logits = torch.randn(1, 11, 2, 2)
    surprise = -logits.log_softmax(1)[0]
    cells = [(3.0, surprise[4, 0, 0]), (1.0, surprise[0, 0, 1]), (1.0, surprise[0, 1, 0])]
    expected = 2.0 * sum(share * value for share, value in cells) / 5
    torch.testing.assert_close(SemanticHead(4, num_classes=10).loss(logits, inputs), expected)


def test_background_features_are_scaled_to_a_tenth():
    logits = torch.tensor([math.log(0.7), math.log(0.2), math.log(0.1)]).view(1, 3, 1, 1)
    enriched = SemanticHead(4, num_classes=2).enrich(torch.full((1, 1, 1, 1), 5.0), logits)
    torch.testing.assert_close(enriched.flatten(), torch.tensor([5 * (0.3 + 0.1), 0.2, 0.1]))


def test_head_trains_and_appends_probabilities():
    head = SemanticHead(4, num_classes=10)
    inputs = dict(gt_depth=depth_map(), rig=forward_rig(), gt_instances_3d=[one_box()])
    x = torch.randn(1, 4, 8, 16)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    losses = []
    for _ in range(30):
        loss = head.loss(head(x), inputs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    context = head.enrich(torch.ones(1, 6, 8, 16), head(x))
    assert context.shape == (1, 16, 8, 16)
    assert context[0, 6:, 4, 8].argmax() == 3  # the cell of the box
