"""The peers: one file per library, in its fastest settings; one row of a table for each of its modes.

A file has a function for each task it takes part in:

    train(workload, mode) -> run      run(times) trains `times` shuffled epochs; the last loss it has at hand
    predict(workload, mode) -> run    run(times) predicts the next `batch_size` rows; the last outputs

Everything that can be prepared is prepared before `run` is returned: data as the library's own tensors, without data
loaders; compilation; one call per epoch or for all epochs where the library can. All use the rates in `RATES`.
"""

from collections.abc import Callable
from importlib.util import find_spec
from itertools import repeat
from typing import Any, NamedTuple

Run = Callable[[int], Any]

RATES = {"adam": 0.001, "adamw": 0.001, "sgd": 0.01}
WEIGHT_DECAY = 0.01  # of AdamW; biases are not decayed


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
    dtypes: tuple[str, ...] = ("float32",)  # of the workloads in which it takes part

    @property
    def label(self) -> str:
        """The mode, if the library has several."""
        return self.name.removeprefix(self.library).strip(", ")

    @property
    def installed(self) -> bool:
        """Whether its package is installed."""
        return find_spec(self.package) is not None


_TRAIN, _PREDICT, _BOTH = ("train",), ("predict",), ("train", "predict")
_MIXED, _ANY = ("mixed_bfloat16",), ("float32", "mixed_bfloat16")

OURS = Peer("fastmlp", "fastmlp", "fastmlp", "ours", "kernels", _BOTH, _ANY)
ONE_THREAD = OURS._replace(name="fastmlp, 1 thread", mode="one thread", tasks=_TRAIN)
NUMPY = Peer("NumPy", "NumPy", "numpy", "plain_numpy", "all threads", _BOTH)
# A library may train a workload in mixed precision as it likes: in float32, too.
PEERS = (
    NUMPY,
    Peer("NumPy, 1 thread", "NumPy", "threadpoolctl", "plain_numpy", "one thread", _BOTH),
    Peer("PyTorch eager", "PyTorch", "torch", "pytorch", "eager", _BOTH),
    Peer("PyTorch fused", "PyTorch", "torch", "pytorch", "fused", _TRAIN, _ANY),
    Peer("PyTorch 1 thread", "PyTorch", "torch", "pytorch", "one thread", _BOTH),
    Peer("PyTorch trace", "PyTorch", "torch", "pytorch", "trace", _PREDICT),
    Peer("PyTorch compile", "PyTorch", "torch", "pytorch", "compile", _BOTH, _ANY),
    Peer("PyTorch autocast", "PyTorch", "torch", "pytorch", "autocast", _TRAIN, _MIXED),
    Peer("PyTorch bfloat16", "PyTorch", "torch", "pytorch", "bfloat16", _TRAIN, _MIXED),
    Peer("JAX", "JAX", "jax", "jax_xla", "", _BOTH, _ANY),
    Peer("JAX bfloat16", "JAX", "jax", "jax_xla", "bfloat16", _TRAIN, _MIXED),
    Peer("scikit-learn", "scikit-learn", "sklearn", "scikit_learn", "", _BOTH),
    Peer("ONNX Runtime", "ONNX Runtime", "onnxruntime", "onnx_runtime", "", _PREDICT),
    Peer("fastmlp float32", "fastmlp float32", "fastmlp", "ours", "float32", _TRAIN, _MIXED),
)
