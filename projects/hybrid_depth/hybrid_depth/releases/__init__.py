"""Converters of official weights, one file a release."""
