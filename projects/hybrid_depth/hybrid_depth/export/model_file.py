"""An exported ONNX file in onnxruntime: session, metadata and inputs; numpy alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..errors import DamagedFileError, DepthDataError, HybridDepthError
from .calibration import Array

KEY = 'hybrid_depth'  # of the metadata
VERSION = 1
Spec = TypeVar('Spec')


class OnnxRuntimeMissingError(HybridDepthError, ImportError):
    """onnxruntime is not installed."""


class ModelFile:
    """Session of an exported file.

    Args:
        path: ONNX file of ``hybrid-depth export``.
        kind: ``detector`` or ``depth``.
        providers: onnxruntime's execution providers.
        threads: of the CPU provider; 0 for all cores.

    Attributes:
        metadata: what the exporter wrote into the file, plain JSON values.

    Raises:
        OnnxRuntimeMissingError: onnxruntime is not installed.
        FileNotFoundError: no such file.
        DamagedFileError: not an ONNX file of this exporter and kind.
    """

    def __init__(
        self,
        path: str | Path,
        kind: str,
        providers: Sequence[str] = ('CPUExecutionProvider',),
        threads: int = 0,
    ):
        runtime = _onnxruntime()
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f'expected an ONNX file, got {path}, which does not exist')
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self.session = runtime.InferenceSession(
                str(self.path), options, providers=list(providers)
            )
        except Exception as error:  # onnxruntime's errors have no common base class
            raise DamagedFileError(
                f'{path}: expected an ONNX file that onnxruntime can run, got: {error}'
            ) from error
        self.metadata = self._read_metadata(kind)
        self.inputs = {each.name: each.shape for each in self.session.get_inputs()}
        self.outputs = [each.name for each in self.session.get_outputs()]

    def _read_metadata(self, kind: str) -> dict[str, Any]:
        text = self.session.get_modelmeta().custom_metadata_map.get(KEY, '{}')
        try:
            found = json.loads(text)
            fits = (found.get('kind'), found.get('version')) == (kind, VERSION)
        except (json.JSONDecodeError, AttributeError, RecursionError):
            fits = False
        if not fits:
            raise DamagedFileError(
                f'{self.path}: expected a {kind} file of hybrid-depth export, version {VERSION}, '
                f'got metadata {text[:80]!r}; export the model again'
            )
        return found

    def parse(self, reader: Callable[[Mapping[str, Any]], Spec]) -> Spec:
        """The metadata as read by a function.

        Raises:
            DamagedFileError: other fields than expected.
        """
        try:
            return reader(self.metadata)
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedFileError(
                f'{self.path}: expected metadata of hybrid-depth export, got other fields: {error}'
            ) from error

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs by name; inputs that the file does not have are left out.

        Raises:
            DepthDataError: an input is absent or has another shape.
        """
        found = self.session.run(None, self.fitting(inputs))
        return dict(zip(self.outputs, found, strict=True))

    def fitting(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The inputs that the file has; errors as of ``run``."""
        given = {}
        for name, shape in self.inputs.items():
            if name not in inputs:
                raise DepthDataError(
                    f'{self.path}: expected the input {name}, got {sorted(inputs)}'
                )
            array = inputs[name]
            fixed = [(a, b) for a, b in zip(array.shape, shape, strict=False) if isinstance(b, int)]
            if array.ndim != len(shape) or any(a != b for a, b in fixed):
                raise DepthDataError(
                    f'{self.path}: expected {name} of shape {tuple(shape)}, got {array.shape}'
                )
            given[name] = np.ascontiguousarray(array)
        return given


def network_images(images: Array, size: Sequence[int], leading: int) -> Array:
    """Images as the network takes them: RGB float32 in [0, 1].

    Args:
        images: (..., 3, H, W) uint8 or float in [0, 1], RGB.
        size: (H, W) of the network image.
        leading: number of dimensions before the channels; a batch of one is added if one fewer.

    Raises:
        DepthDataError: another shape or type.
    """
    images = np.asarray(images)
    if images.ndim == leading + 2:
        images = images[None]
    expected = (3, *size)
    if images.ndim != leading + 3 or images.shape[leading:] != expected:
        raise DepthDataError(
            f'expected RGB images (..., 3, H, W) of {expected}, resized to the network size, got '
            f'{images.shape}'
        )
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    if not np.issubdtype(images.dtype, np.floating):
        raise DepthDataError(f'expected images of uint8 or float in [0, 1], got {images.dtype}')
    return images.astype(np.float32)


def _onnxruntime():
    try:
        import onnxruntime
    except ImportError as error:
        raise OnnxRuntimeMissingError(
            f'expected onnxruntime, got: {error}. Install it: pip install onnxruntime'
        ) from error
    return onnxruntime
