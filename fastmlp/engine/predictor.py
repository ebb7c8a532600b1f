"""One sample at a time, in a few microseconds: everything but the arithmetic is prepared once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.arrays import as_numbers
from ..kernels.compiler.jit import prepared
from ..kernels.program import entries
from .buffers import aligned_zeros, matrix
from .network import Network

# Types are compared by number: an array that was unpickled, or whose type has metadata, has a dtype object of its own.
_UINT8 = np.dtype(np.uint8).num
_READ_AS_THEY_ARE = frozenset({_UINT8, np.dtype(np.float32).num, np.dtype(np.float64).num})
_INTEGERS = frozenset(np.dtype(code).num for code in "?bhHiIlLqQ")


class Predictor:
    """A model prepared for single samples; `Sequential.predictor` makes one.

    It follows the model's weights, has buffers of its own, and is for one thread at a time: make one for each.

    Parameters
    ----------
    network : Network
        The network that predicts.
    """

    def __init__(self, network: Network) -> None:
        network.check_ready()
        self.input_shape = network.input_shape
        # A single sample reads each weight once, so memory bandwidth is the limit: skip the weights of zeros.
        plan = network.lowered(1, sparse_input=True)
        entries.link(plan.operations, network.dtype)
        first, last = plan.operations[0], plan.operations[-1]
        workspace = aligned_zeros(plan.workspace, network.dtype)
        inputs = matrix(workspace, int(first["y"]), int(first["ldy"]), 1, network.features + 1)[0]
        inputs[-1] = 1  # the bias is the weight of a constant one
        self._inputs = inputs[:-1].reshape(self.input_shape)
        self._outputs = matrix(workspace, int(last["y"]), int(last["ldy"]), 1, network.outputs)[0]
        self._byte_scale = network.dtype.type(first["number"])
        centers = network.centers(network.params)
        self._centers = None if centers is None else centers.reshape(self.input_shape)
        self._run = prepared(entries.predict_row, (plan.operations, network.params, workspace))

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """The outputs for one sample, as `Sequential.predict` gives them.

        Parameters
        ----------
        x : array_like, of the shape of one sample
            Dense real numbers; uint8 is read as by `Sequential.predict`, so that of images as fractions of 255. It is
            not searched for NaN, whose outputs are NaN, nor is its scale compared with that of the training samples.

        Returns
        -------
        ndarray, shape (outputs,)

        Raises
        ------
        ValueError
            If the shape is another, or if it holds no real numbers, has masked values or is sparse, all of which
            `Sequential.predict` refuses too except the last.
        """
        # The usual types at once, others in the type in which `predict` reads them, or its error.
        array = x if type(x) is np.ndarray and x.dtype.num in _READ_AS_THEY_ARE else _read(x)
        if array.shape != self.input_shape:
            raise ValueError(f"x: expected one sample of shape {self.input_shape}, got {array.shape}")
        return self.run(array)

    def run(self, array: np.ndarray) -> np.ndarray:
        """The outputs for a sample of the right shape, in uint8, float32 or float64."""
        if array.dtype.num == _UINT8:
            array = np.multiply(array, self._byte_scale, dtype=self._inputs.dtype)
        if self._centers is None:
            self._inputs[...] = array
        else:
            np.subtract(array, self._centers, out=self._inputs, dtype=np.float64, casting="same_kind")
        self._run()
        return self._outputs.copy()


def _read(x: ArrayLike) -> np.ndarray:
    """The numbers of a sample in the type in which `predict` reads them, or its error."""
    if type(x) is np.ndarray and x.dtype.num in _INTEGERS:
        return x.astype(np.float64)
    return as_numbers(x, "x")
