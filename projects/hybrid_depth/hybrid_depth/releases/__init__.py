"""Converters of official weights, one file per release."""
