"""One sample at a time, in a few microseconds: everything but the arithmetic is done beforehand."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.samples import as_numbers
from ..kernels.compiler.jit import prepared
from ..kernels.program import entries
from ..kernels.schema import BYTE_SCALE
from .buffers import aligned_zeros, matrix
from .layer_lowering import lower
from .network import Network

_BYTES = np.dtype(np.uint8)


class Predictor:
    """A model prepared for single samples; `Sequential.predictor` makes one.

    It follows the model's weights, has buffers of its own, and is for one thread at a time: make one for each.

    Parameters
    ----------
    network : Network
        What to predict with.
    """

    def __init__(self, network: Network) -> None:
        network.check_ready()
        self.input_shape = network.input_shape
        # One sample reads each weight once, so the weights' way to the core is what counts: skip zeros where they are.
        plan = lower(network.layers, network.features, 1, network.dtype, sparse_input=True)
        first, last = plan.operations[0], plan.operations[-1]
        workspace = aligned_zeros(plan.workspace, network.dtype)
        inputs = matrix(workspace, int(first["y"]), int(first["ldy"]), 1, network.features + 1)[0]
        inputs[-1] = 1  # the bias is the weight of a constant one
        self._inputs = inputs[:-1].reshape(self.input_shape)
        self._outputs = matrix(workspace, int(last["y"]), int(last["ldy"]), 1, network.outputs)[0]
        self._byte_scale = network.dtype.type(BYTE_SCALE)
        self._run = prepared(entries.predict_row, (plan.operations, network.params, workspace))

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """The outputs for one sample, as `Sequential.predict` gives them.

        Parameters
        ----------
        x : array_like, of the shape of one sample
            Dense; bytes (uint8) are read as fractions of 255. It is not searched for NaN, which comes out as NaN,
            nor is its scale compared with that of the samples of the training.

        Returns
        -------
        ndarray, shape (outputs,)

        Raises
        ------
        ValueError
            If the shape is another, or it is a sparse matrix, which `Sequential.predict` takes.
        """
        array = np.asarray(x)
        if array.shape != self.input_shape:
            as_numbers(x, "x")  # what is no dense array has a message of its own
            raise ValueError(f"x: expected one sample of shape {self.input_shape}, got {array.shape}")
        if array.dtype is _BYTES:
            np.multiply(array, self._byte_scale, out=self._inputs)
        else:
            self._inputs[...] = array
        self._run()
        return self._outputs.copy()
