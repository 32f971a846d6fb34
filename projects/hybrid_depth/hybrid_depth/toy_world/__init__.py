"""Toy world: a ray-cast simulation written as nuScenes, KITTI raw or TuSimple data."""

from .api import LAYOUTS, make_toy_world, open_toy_world

__all__ = ['LAYOUTS', 'make_toy_world', 'open_toy_world']
