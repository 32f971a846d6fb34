"""Checks of a config, its data sets and checkpoints, before anything is built."""
