"""Stand-in for mmcv's compiled ops where mmcv was installed without them (mmcv-lite).

mmdet3d imports ``mmcv.ops`` at its top, and that imports the compiled module ``mmcv._ext``. The
models here call none of it (rotated NMS is ``ops.rotated_nms``, deformable convolution is
torchvision's), so a module is enough whose functions exist and raise when they are called. It is
offered to Python's import system behind every other finder: where compiled mmcv is installed, that
is found first and used. ``hybrid_depth/__init__.py`` installs it, so ``import hybrid_depth`` has
to come before the first ``import mmdet3d``.
"""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from .errors import HybridDepthError

NAME = 'mmcv._ext'


class MissingOpError(HybridDepthError, RuntimeError):
    """A compiled mmcv op was called, and mmcv is installed without compiled ops."""


class _AbsentOps(ModuleType):
    """Has a function for every op name; calling one raises MissingOpError."""

    def __getattr__(self, name: str):
        if name.startswith('__'):
            raise AttributeError(name)

        def absent(*args, **kwargs):
            raise MissingOpError(
                f'mmcv op {name!r}: expected mmcv with compiled ops, got mmcv-lite. Models of this '
                'toolkit do not need it; for others, install the compiled package instead: '
                '`pip uninstall mmcv-lite`, then `pip install mmcv==2.1.0` (needs a compiler and '
                'torch below 2.14, see docs/install.md)'
            )

        absent.__name__ = name
        return absent


class _Finder(MetaPathFinder, Loader):
    """Finds ``mmcv._ext`` when no finder before it does."""

    def find_spec(self, fullname, path=None, target=None):
        return ModuleSpec(fullname, self) if fullname == NAME else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _AbsentOps(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: the functions are made when they are asked for."""


def install() -> None:
    """Offer the stand-in to imports; a second call changes nothing."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())


def is_compiled() -> bool:
    """Whether mmcv's compiled ops are there; imports ``mmcv.ops``.

    Raises:
        ImportError: mmcv is absent, or its ops were compiled for another torch.
    """
    import mmcv.ops  # noqa: F401

    return not isinstance(sys.modules[NAME], _AbsentOps)
