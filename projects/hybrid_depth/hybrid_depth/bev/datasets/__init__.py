"""Data sets of camera rigs, and batches of frames in order."""
