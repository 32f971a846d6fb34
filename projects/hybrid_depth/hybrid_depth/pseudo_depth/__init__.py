"""Pseudo labels: depth of a self-supervised model as supervision of a detector."""
