"""Writing of a module as an ONNX file of standard operators, with its metadata."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from io import BytesIO
from typing import IO, Any

import torch
from torch import Tensor, nn

from ..errors import HybridDepthError
from .model_file import KEY, VERSION

OPSET = 18  # the first with all of: ScatterElements with addition, GridSample, LayerNormalization
PRECISIONS = ('fp32', 'fp16')
# Kept in float32 in files of half precision: sums over many points, and sampling positions, which
# half precision moves by cells.
_FULL_PRECISION = ('ScatterElements', 'GridSample', 'Softmax', 'ReduceSum')


class ExportError(HybridDepthError, RuntimeError):
    """Model that cannot be exported, or whose file has other outputs than the model."""


def require_exporter() -> None:
    """Check that the libraries of an export are installed.

    Raises:
        ExportError: one is not.
    """
    absent = [name for name in ('onnx', 'onnxruntime') if find_spec(name) is None]
    if absent:
        raise ExportError(
            f'expected onnx and onnxruntime, {" and ".join(absent)} not installed: '
            f'pip install {" ".join(absent)}'
        )


def write_onnx(
    graph: nn.Module,
    arguments: Sequence[Tensor],
    names: tuple[Sequence[str], Sequence[str]],
    metadata: dict[str, Any],
    file: IO[bytes],
    precision: str = 'fp32',
    free_axes: Mapping[str, Mapping[int, str]] | None = None,
) -> Counter[str]:
    """Export a module by tracing; the first axis of every input and output is the batch, of any
    size.

    Args:
        graph: module in evaluation mode.
        arguments: example inputs of a batch of two.
        names: of the inputs and of the outputs.
        metadata: JSON values for the runtime, with ``kind``.
        file: where to write.
        precision: ``fp32``, or ``fp16`` for weights and most operators in half precision; inputs
            and outputs are float32 in both.
        free_axes: names of other axes of any size, by input.

    Returns:
        Number of operators by name.

    Raises:
        ExportError: the exporter fails, or uses an operator that is not standard.
    """
    import onnx

    model = _traced(graph, arguments, names, free_axes or {})
    strange = {node.domain for node in model.graph.node} - {'', 'ai.onnx'}
    if strange:
        raise ExportError(f'expected standard operators alone, got those of {sorted(strange)}')
    if precision == 'fp16':
        model = _halved(model)
    metadata = dict(metadata, version=VERSION, precision=precision)
    onnx.helper.set_model_props(model, {KEY: json.dumps(metadata)})
    onnx.checker.check_model(model)
    file.write(model.SerializeToString())
    file.flush()
    return Counter(node.op_type for node in model.graph.node)


def _traced(
    graph: nn.Module,
    arguments: Sequence[Tensor],
    names: tuple[Sequence[str], Sequence[str]],
    free_axes: Mapping[str, Mapping[int, str]],
):
    """ONNX model of a module; arguments as of ``write_onnx``."""
    import onnx

    inputs, outputs = names
    axes = {name: {0: 'batch', **free_axes.get(name, {})} for name in (*inputs, *outputs)}
    buffer = BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')  # of sizes that are constants in the file
        try:
            torch.onnx.export(
                graph,
                tuple(arguments),
                buffer,
                dynamo=False,  # the other exporter needs onnxscript
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes=axes,
            )
        except Exception as error:  # of the exporter, without a common base class
            raise ExportError(f'PyTorch cannot export this model to ONNX: {error}') from error
    return onnx.load_from_string(buffer.getvalue())


def _halved(model):
    from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    blocked = [*DEFAULT_OP_BLOCK_LIST, *_FULL_PRECISION]
    half = OnnxModel(convert_float_to_float16(model, keep_io_types=True, op_block_list=blocked))
    half.topological_sort()  # the conversion appends its casts at the end
    return half.model
