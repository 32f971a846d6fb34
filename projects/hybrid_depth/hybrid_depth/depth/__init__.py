"""The depth road: self-supervised monocular depth. Needs neither mmdet3d nor compiled ops."""
