"""The reference in NumPy: what the kernels and the program compute, within rounding; random numbers bit for bit.

Files, names and arguments are those of the kernels. It is also the fastest training in plain NumPy that we know: whole
batches at a time, BLAS on views of the arenas, everything else in place and, where strides are equal, on whole rows
with their padding, which are contiguous. It runs as the only rank.
"""

from . import (
    activations,
    arenas,
    entries,
    gemm,
    layers,
    losses,
    norms,
    optimizers,
    pairs,
    rng,
    scaling,
    softmax,
    updates,
)

__all__ = [
    "activations",
    "arenas",
    "entries",
    "gemm",
    "layers",
    "losses",
    "norms",
    "optimizers",
    "pairs",
    "rng",
    "scaling",
    "softmax",
    "updates",
]
