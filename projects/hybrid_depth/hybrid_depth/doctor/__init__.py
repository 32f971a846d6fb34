"""Checks of data sets before training or testing."""
