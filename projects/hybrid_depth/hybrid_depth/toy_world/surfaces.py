"""Surfaces of the toy world and their semantic classes."""

from __future__ import annotations

#: Cityscapes train id of every surface, 255 for those of no class. Source of the ids:
#: github.com/mcordts/cityscapesScripts, cityscapesscripts/helpers/labels.py.
SEMANTIC_IDS = {
    'road': 0,
    'sidewalk': 1,
    'building': 2,
    'barrier': 4,  # fence
    'pole': 5,
    'tree': 8,  # vegetation, trunk included
    'grass': 9,  # terrain
    'sky': 10,
    'pedestrian': 11,
    'rider': 12,
    'car': 13,
    'truck': 14,
    'trailer': 14,  # trailers of trucks are trucks
    'construction_vehicle': 14,
    'bus': 15,
    'motorcycle': 17,
    'bicycle': 18,
    'traffic_cone': 255,
}
