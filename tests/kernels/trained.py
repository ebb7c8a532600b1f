"""Run as a program: train one network with every activation, loss and optimizer; print a hash of all bits."""

import hashlib

import numpy as np

from fastmlp.kernels.program import entries
from fastmlp.kernels.tables import ACTIVATIONS, LOSSES, OPTIMIZERS
from tests.kernels import networks

FEATURES, OUTPUTS, SAMPLES, BATCH = 21, 5, 100, 70
PARTS = [
    ("scale", False),
    *(part for row in ACTIVATIONS for part in (("dense", 20), (row.name, 0.1))),
    ("noise", 0.1), ("row_norm", 1e-5), ("affine", None), ("batch_norm", 1e-5), ("affine", None),
    ("dense", 131), ("dropout", 0.25), ("dense", 33), ("softmax", 0.0), ("dense", OUTPUTS),
]  # fmt: skip


def digest() -> str:
    """SHA-256 of the weights, the states and the records of all runs."""
    result = hashlib.sha256()
    samples = networks.data(SAMPLES, FEATURES, OUTPUTS, np.float32)
    for loss in LOSSES:
        for code in range(len(OPTIMIZERS)):
            plan, state = networks.build(
                PARTS,
                features=FEATURES,
                rows=BATCH,
                dtype=np.float32,
                loss=loss.name,
                materialised=code % 2 == 0,
            )
            kept, _ = networks.train(entries, plan, state, samples, batch=BATCH, optimizer=code)
            assert np.isfinite(state.params).all()
            for op in networks.dense(plan):
                result.update(networks.weights_of(op, state.params).tobytes())
            result.update(state.slots.tobytes() + kept.records.tobytes())
    return result.hexdigest()


if __name__ == "__main__":
    print(digest())
