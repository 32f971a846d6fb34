"""Own vehicles: description in YAML, import to info files, and checks of what was imported."""

from .drive import Drive, RigBoxes, RigCamera, RigLidar
from .errors import RigError

__all__ = ['Drive', 'RigBoxes', 'RigCamera', 'RigError', 'RigLidar']
