"""Inference on images, videos and keyframes, and output of the results."""
