"""What a network keeps between two calls of `predict`: the prepared prediction of a few dense samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..inputs.arrays import are_clearly_finite
from ..inputs.samples import BYTES, Samples
from ..kernels import schema
from ..kernels.compiler.jit import for_types_of
from ..kernels.program import entries
from ..layers.layer import Layer
from . import team
from .buffers import aligned_zeros
from .network import Network
from .predictor import Predictor
from .run_arguments import data_of, work

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_BYTES = (np.dtype(np.uint8),)


_JUDGED = 1024  # numbers that tell whether samples are mostly zero, which changes the speed and no bit


class KeptPredictor:
    """Predicts a few dense samples of the usual types, and leaves everything else to the caller.

    A network keeps it until something that it depends on changes. It reads the network's weights where they are, and
    holds the network's lock while it runs, as its buffers are for one run at a time.

    Parameters
    ----------
    network : Network
        The network that predicts. Samples and names of classes have passed all checks of `predict` once.
    class_names, sample_scale : tuple of str, str
        Those of the model when they passed: with others, all checks are due again.
    """

    def __init__(self, network: Network, class_names: tuple[str, ...], sample_scale: str) -> None:
        self._class_names = class_names
        self._sample_scale = sample_scale
        self._network = network
        self._lock = network.lock
        self._dtype = network.dtype
        self._shape = network.input_shape
        # Of other types the scale may have to be compared with that of the training samples.
        self._types = _BYTES if sample_scale == BYTES else _FLOATS
        self._may_be_infinite = self._types is _FLOATS
        self._needing_data = [
            layer for layer in network.layers if type(layer).check_ready is not Layer.check_ready
        ]
        # Most rows that are work for one thread.
        self._few = min(network.inference.rows, (2 * team.WORK_PER_THREAD - 1) // max(1, work(network, 1, 1)))
        self._row: Predictor | None = None
        self._is_running = False  # a signal handler may predict too, between two lines of its own thread
        self._rows: dict[bool, FewRows] = {}

    def is_for(self, class_names: tuple[str, ...], sample_scale: str) -> bool:
        """Whether these are still the model's."""
        return self._class_names is class_names and self._sample_scale is sample_scale

    def __call__(self, X: np.ndarray) -> np.ndarray | None:
        """The outputs as `Sequential.predict` gives them; None if X is not such samples, or has something to refuse."""
        if X.dtype not in self._types or self._lock.was_held_at_fork:
            return None
        shape = X.shape
        if shape == self._shape:
            return self._predict_row(X)
        if shape[1:] != self._shape or shape[0] == 0:
            return None
        if shape[0] == 1:
            outputs = self._predict_row(X[0])
            return None if outputs is None else outputs[None]
        return self._predict_rows(X.ravel(), shape[0]) if shape[0] <= self._few else None

    def _predict_row(self, x: np.ndarray) -> np.ndarray | None:
        """The outputs for one sample."""
        if self._may_be_infinite and not are_clearly_finite(x, self._dtype):
            return None
        with self._lock:
            if self._is_running:
                return None
            team.end_abandoned_runs()
            for layer in self._needing_data:
                layer.check_ready()
            if self._row is None:
                self._row = Predictor(self._network)
            self._is_running = True
            try:
                return self._row.run(x)
            finally:
                self._is_running = False

    def _predict_rows(self, flat: np.ndarray, rows: int) -> np.ndarray | None:
        """The outputs for some samples, given as their numbers."""
        if not flat.flags.aligned or (self._may_be_infinite and not are_clearly_finite(flat, self._dtype)):
            return None
        some = flat[:_JUDGED]
        sparse = bool(np.count_nonzero(some) < schema.SPARSE_BELOW * some.size)
        with self._lock:
            team.end_abandoned_runs()
            for layer in self._needing_data:
                layer.check_ready()
            if sparse not in self._rows:
                self._rows[sparse] = FewRows(self._network, sparse)
            return self._rows[sparse](flat, rows)


class FewRows:
    """The program's `predict` on the calling thread, with all arguments prepared but the samples.

    Parameters
    ----------
    network : Network
        The network that predicts.
    sparse : bool
        Whether the samples are mostly zero.
    """

    def __init__(self, network: Network, sparse: bool) -> None:
        dtype = network.dtype
        rows = network.inference.rows
        plan = network.lowered(rows, sparse_input=sparse)
        entries.link(plan.operations, dtype)
        none = aligned_zeros(0, dtype)
        losses = aligned_zeros(rows, dtype)  # the program reads its size alone: the rows of the workspace
        workspace = aligned_zeros(plan.workspace, dtype)
        labels = aligned_zeros(0, np.dtype(np.int64))
        self._dtype = dtype
        self._outputs = network.outputs
        self._plan = plan.operations
        self._state = schema.State(network.params, none, none, workspace, none, losses, none, labels)
        self._control = team.new_control()
        nothing = Samples(none, 0, network.input_shape)
        self._data = data_of(dtype, nothing, None, np.arange(rows))
        self._run: Callable[..., None] | None = None

    def __call__(self, flat: np.ndarray, rows: int) -> np.ndarray:
        """The outputs for these rows, given as their numbers, contiguous and aligned."""
        outputs = np.empty((rows, self._outputs), self._dtype)
        inputs = flat.view(np.uint8)
        inputs.flags.writeable = False
        kind = schema.ITEM_TYPES.index(flat.dtype)
        data = self._data._replace(inputs=inputs, kind=kind, order=self._data.order[:rows])
        arguments = outputs, self._plan, self._state, data, self._control, 0, 1
        if self._run is None:
            self._run = for_types_of(entries.predict, arguments)
        self._run(*arguments)
        return outputs
