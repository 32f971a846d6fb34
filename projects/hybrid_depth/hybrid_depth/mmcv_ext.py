"""Stand-in for mmcv's compiled ops if mmcv is installed without them (mmcv-lite).

mmdet3d imports ``mmcv.ops``, which imports the compiled module ``mmcv._ext``. The models of this
toolkit call none of these ops (rotated NMS is ``ops.rotated_nms``, deformable convolution is
torchvision's), so a module suffices whose functions exist and raise when called. It is the last
finder of Python's import system, so a compiled mmcv takes precedence.
``hybrid_depth/__init__.py`` installs it: ``import hybrid_depth`` must come before the first
``import mmdet3d``.
"""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from .errors import HybridDepthError

NAME = 'mmcv._ext'


class MissingOpError(HybridDepthError, RuntimeError):
    """Call of a compiled mmcv op, with mmcv installed without compiled ops."""


class _AbsentOps(ModuleType):
    """Module with a function for every op name, which raises MissingOpError."""

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
    """Finder and loader of the stand-in for ``mmcv._ext``."""

    def find_spec(self, fullname, path=None, target=None):
        return ModuleSpec(fullname, self) if fullname == NAME else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _AbsentOps(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to execute: the functions are created on access."""


def install() -> None:
    """Add the stand-in to Python's import system; idempotent."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())


def is_compiled() -> bool:
    """Whether mmcv has compiled ops; imports ``mmcv.ops``.

    Raises:
        ImportError: mmcv is absent, or its ops were compiled for another torch.
    """
    import mmcv.ops  # noqa: F401

    return not isinstance(sys.modules[NAME], _AbsentOps)
