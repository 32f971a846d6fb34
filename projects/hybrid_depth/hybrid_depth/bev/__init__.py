"""Camera-only BEV detectors. Needs mmdet3d."""
