"""Trained models on images, videos and keyframes, and writers of their results."""
