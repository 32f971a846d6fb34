"""Multi-camera data sets, and batches of consecutive frames."""
