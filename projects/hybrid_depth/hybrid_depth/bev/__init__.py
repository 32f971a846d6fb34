"""The BEV road: camera-only detectors. Needs mmdet3d."""
