"""Trained models on pictures, videos and keyframes, and what they say on disk."""
