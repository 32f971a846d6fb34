"""Compile the pooling kernels for a GPU, without one, and print the names of those with atomics.

Run by test_triton_pool.py in a process of its own, without the interpreter.
"""

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from hybrid_depth.ops import triton_kernels as kernels

INT, FLOAT, HALF = '*i32', '*fp32', '*fp16'
TABLES = dict(order=INT, voxel_starts=INT, part_starts=INT, voxel_of_part=INT, ranks=INT)
OUTPUTS = dict(voxels=FLOAT, extra=FLOAT, normaliser=FLOAT, grad=FLOAT)


def assembly(kernel, inputs: str, constants: dict) -> str:
    """PTX for compute capability 8.0; ``inputs`` is the type of depth, pixels and gradients."""
    while not isinstance(kernel, triton.runtime.JITFunction):
        kernel = kernel.fn  # in the autotuner
    names = dict.fromkeys(('depth', 'logits', 'pixels', 'grad_depth', 'grad_pixels'), inputs)
    types = {**names, **TABLES, **OUTPUTS, **dict.fromkeys(constants, 'constexpr')}
    source = ASTSource(
        fn=kernel,
        signature={name: types.get(name, 'i32') for name in kernel.arg_names},
        constexprs={(kernel.arg_names.index(name),): x for name, x in constants.items()},
    )
    return triton.compile(source, target=GPUTarget('cuda', 80, 32)).asm['ptx']


def main() -> None:
    """Each kernel in its first configuration, for 59 bins and 80 channels."""
    forward = dict(LENGTH=kernels.PART_LENGTH, CHANNELS=128, PARTS=8)
    backward = dict(BINS=64, PIXELS=2, CHANNELS=32)
    compiled = {
        'pool_parts': assembly(kernels.pool_parts, HALF, dict(forward, SOFTMAX=True)),
        'add_parts': assembly(kernels.add_parts, FLOAT, dict(CHANNELS=128, VOXELS=32)),
        'log_sum_exp': assembly(kernels.log_sum_exp, HALF, dict(BINS=64, PIXELS=4)),
        'pool_gradients': assembly(kernels.pool_gradients, FLOAT, dict(backward, SOFTMAX=True)),
    }
    assert all('st.global' in ptx for ptx in compiled.values())
    print('compiled', len(compiled), [x for x, ptx in compiled.items() if 'atom.' in ptx])


if __name__ == '__main__':
    main()
