"""The pure NumPy twin: what the kernels and the program compute, within rounding; random numbers bit for bit.

Files, names and arguments are those of the kernels. It is also the fastest training in plain NumPy that we know how to
write: whole batches at a time, BLAS on views of the arenas, everything else in place and, where strides agree, on whole
rows with their padding, which is one contiguous block. The tables are in the order of the kernels' tables.
It runs as the only rank.
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
    "rng",
    "scaling",
    "softmax",
    "updates",
]
