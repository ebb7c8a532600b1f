"""The peers: one file per library, in its fastest settings; one row of a table for each of its modes.

A file has a function for each task it takes part in:

    train(workload, mode) -> run      run(times) trains `times` shuffled epochs
    predict(workload, mode) -> run    run(times) predicts the next `batch_size` rows; the last outputs

Everything that can be prepared is prepared before `run` is returned: data as the library's own tensors, without data
loaders; compilation; one call per epoch or for all epochs where the library can. All use the rates in `RATES`.
"""

from collections.abc import Callable
from importlib.util import find_spec
from itertools import repeat
from typing import Any, NamedTuple

Run = Callable[[int], Any]

RATES = {"adam": 0.001, "sgd": 0.01}


def repeated(call: Callable[[], Any]) -> Run:
    """A run that calls a function `times` times."""

    def run(times: int) -> Any:
        outputs = None
        for _ in repeat(None, times):
            outputs = call()
        return outputs

    return run


class Peer(NamedTuple):
    """A library in one of its modes."""

    name: str
    library: str  # the fastest mode of a library counts
    package: str  # what has to be installed
    module: str  # its file in this folder
    mode: str
    tasks: tuple[str, ...]

    @property
    def label(self) -> str:
        """The mode, if the library has several."""
        return self.name.removeprefix(self.library).strip(", ")

    @property
    def installed(self) -> bool:
        """Whether its package is installed."""
        return find_spec(self.package) is not None


_TRAIN, _PREDICT, _BOTH = ("train",), ("predict",), ("train", "predict")

OURS = Peer("fastmlp", "fastmlp", "fastmlp", "ours", "kernels", _BOTH)
ONE_THREAD = OURS._replace(name="fastmlp, 1 thread", mode="one thread", tasks=_TRAIN)
NUMPY = Peer("NumPy", "NumPy", "numpy", "plain_numpy", "all threads", _BOTH)
PEERS = (
    NUMPY,
    Peer("NumPy, 1 thread", "NumPy", "threadpoolctl", "plain_numpy", "one thread", _BOTH),
    Peer("PyTorch eager", "PyTorch", "torch", "pytorch", "eager", _BOTH),
    Peer("PyTorch fused", "PyTorch", "torch", "pytorch", "fused", _TRAIN),
    Peer("PyTorch 1 thread", "PyTorch", "torch", "pytorch", "one thread", _BOTH),
    Peer("PyTorch trace", "PyTorch", "torch", "pytorch", "trace", _PREDICT),
    Peer("PyTorch compile", "PyTorch", "torch", "pytorch", "compile", _BOTH),
    Peer("JAX", "JAX", "jax", "jax_xla", "", _BOTH),
    Peer("scikit-learn", "scikit-learn", "sklearn", "scikit_learn", "", _BOTH),
    Peer("ONNX Runtime", "ONNX Runtime", "onnxruntime", "onnx_runtime", "", _PREDICT),
)
