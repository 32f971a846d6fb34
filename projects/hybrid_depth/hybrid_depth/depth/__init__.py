"""Self-supervised monocular depth. Needs neither mmdet3d nor compiled ops."""
