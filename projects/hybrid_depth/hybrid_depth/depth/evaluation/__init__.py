"""Metrics of depth, camera motion and patch order."""
