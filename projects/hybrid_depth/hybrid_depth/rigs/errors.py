"""Error of the import of an own vehicle."""

from ..errors import HybridDepthError


class RigError(HybridDepthError, ValueError):
    """Description or data of an own vehicle that cannot be used."""
