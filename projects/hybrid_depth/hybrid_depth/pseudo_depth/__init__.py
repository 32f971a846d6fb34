"""Depth of a self-supervised model as labels for a detector: the bridge between the two roads."""
