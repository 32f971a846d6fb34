"""Version, in a separate module that packaging reads without importing torch."""

__version__ = '0.1.0'
