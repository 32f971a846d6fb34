"""Deterministic pseudo-random weights, so that a golden vector needs no weight file.

Every tensor depends only on its key and its shape: the same dictionary can be built here
and beside any other implementation that uses the same state-dict layout.
"""

import zlib

import numpy as np


def tensor(key, shape, salt=''):
    """One float32 (or int64) array for a state-dict entry.

    Args:
        key (str): full state-dict key.
        shape (tuple[int]): its shape.
        salt (str): selects an independent set of weights.

    Norm scales and variances stay near one, matrices keep the variance of their input
    (normal, 1/sqrt(fan_in)), everything else is small, so that deep networks neither
    vanish nor explode.
    """
    rng = np.random.Generator(np.random.PCG64(zlib.crc32((salt + key).encode())))
    leaf = key.rsplit('.', 1)[-1]
    if leaf == 'num_batches_tracked':
        return np.zeros(shape, np.int64)
    n = rng.standard_normal(shape).astype(np.float32)
    if leaf == 'running_var':
        return 1 + 0.1 * np.abs(n)
    if leaf == 'running_mean' or leaf == 'bias':
        return 0.05 * n
    if leaf == 'gamma' or (leaf == 'weight' and len(shape) == 1):
        return 1 + 0.1 * n
    if leaf == 'weight' and len(shape) > 1:
        # float32 throughout: NumPy 2 would divide in float64, the recipe's NumPy 1 did not
        return n / np.float32(np.sqrt(np.prod(shape[1:])))
    return 0.1 * n


def state_dict(shapes, salt=''):
    """shapes: {key: shape} -> {key: array}."""
    return {k: tensor(k, tuple(s), salt) for k, s in shapes.items()}


def image(name, shape):
    """A smooth float32 test image in [0, 1], shape (..., 3, H, W), drawn from its name."""
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    h, w = shape[-2:]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    out = np.zeros(shape, np.float32).reshape(-1, h, w)
    for c in range(out.shape[0]):
        for _ in range(8):
            fx, fy, ph = rng.uniform(0.5, 12, 2).tolist() + [rng.uniform(0, 6.28)]
            out[c] += np.sin(2 * np.pi * (fx * x / w + fy * y / h) + ph)
    out = (out - out.min()) / (out.max() - out.min())
    return out.reshape(shape)
