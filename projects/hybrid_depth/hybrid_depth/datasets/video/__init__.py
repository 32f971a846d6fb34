"""Frames with their neighbours in time: base class, and folders of user videos."""
