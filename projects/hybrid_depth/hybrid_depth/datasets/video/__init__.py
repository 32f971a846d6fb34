"""Frames with their neighbours in time: folders of own videos, and what KITTI shares with them."""
