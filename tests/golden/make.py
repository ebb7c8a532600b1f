"""Write the golden model files of this version, once for each release: `python -m tests.golden.make`.

The files of a release are never written again: a later version that cannot load them is at fault. Beside the files is
what they must give: `expected.json`, with predictions, epochs and the names of the tensors.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import fastmlp
from fastmlp import (
    L2,
    SGD,
    Activation,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    EarlyStopping,
    Flatten,
    GaussianNoise,
    LayerNorm,
    MaxAbsScaler,
    MinMaxScaler,
    RMSprop,
    Sequential,
    StandardScaler,
    initializers,
    losses,
    optimizers,
    schedules,
)

FOLDER = Path(__file__).parent
X = (np.arange(24, dtype=np.float32).reshape(8, 3) % 7 - 3) / 2
CLASSES = np.arange(8) % 3
VALUES = X.sum(axis=1)

SCHEDULES = {
    "step": schedules.StepDecay(0.1, steps=2),
    "exponential": schedules.ExponentialDecay(0.1, steps=2),
    "inverse_time": schedules.InverseTimeDecay(0.1, decay=0.5),
    "polynomial": schedules.PolynomialDecay(0.1, steps=4, power=2.0),
    "cosine": schedules.CosineDecay(0.1, steps=4),
    "cosine_restarts": schedules.CosineRestarts(0.1, steps=2, grow=2),
    "one_cycle": schedules.OneCycle(0.1, steps=8),
    "warm_up": schedules.WarmUp(schedules.CosineDecay(0.1, steps=4), steps=2),
    "plateau": schedules.ReduceOnPlateau(0.1, patience=0, monitor="loss"),
}
LOSSES = {
    "huber": losses.Huber(2.0),
    "log_cosh": losses.LogCosh(),
    "quantile": losses.Quantile(0.9),
    "mean_absolute_error": losses.MeanAbsoluteError(),
    "sum_squared_error": losses.MeanSquaredError(reduction="sum"),
}


def trained(layers, y, **options) -> Sequential:
    model = Sequential(layers, seed=3, **options)
    model.fit(X, y, epochs=2, batch_size=3, verbose=0, threads=1)
    return model


def classifier() -> Sequential:
    """All that a file can hold of a classifier, in the course of a run with early stopping."""
    layers = [
        Flatten(),
        StandardScaler(),
        Dense(4, "tanh", regularizer=L2(0.01), max_norm=2.0, initializer=initializers.Orthogonal()),
        BatchNorm(momentum=0.8),
        Dropout(0.25),
        Dense(3, "softmax", bias_initializer=initializers.Constant(0.1)),
    ]
    optimizer = Adam(schedules.CosineDecay(0.05, steps=20), ema_momentum=0.9, global_clip_norm=1.0)
    loss = losses.CrossEntropy(label_smoothing=0.1)
    model = Sequential(layers, loss=loss, optimizer=optimizer, seed=7, class_names=["a", "b", "c"])
    model.feature_names = ("one", "two", "three")
    kept: list[bytes] = []

    def keep(epoch, logs):
        path = FOLDER / "in_the_run.tmp"
        model.save(path)
        kept.append(path.read_bytes())
        path.unlink()

    stopping = EarlyStopping("loss", patience=5, restore_best_weights=True)
    model.fit(X, CLASSES, epochs=3, batch_size=3, callbacks=[stopping, keep], verbose=0, threads=1)
    path = FOLDER / "in_the_run.tmp"
    path.write_bytes(kept[-1])
    loaded = fastmlp.load(path)
    path.unlink()
    return loaded


def regressor() -> Sequential:
    layers = [
        MinMaxScaler(axis=None),
        Dense(5, "leaky_relu", slope=0.2),
        LayerNorm(epsilon=1e-3),
        GaussianNoise(0.1),
        Dense(4),
        Activation("elu", alpha=0.5),
        Dense(1),
    ]
    return trained(layers, VALUES, optimizer=RMSprop(0.01, centered=True, weight_decay=0.01), dtype="float64")


def models() -> Iterator[tuple[str, Sequential]]:
    """The models by the names of their files."""
    yield "classifier", classifier()
    yield "regressor", regressor()
    for name in optimizers.OPTIMIZERS:
        yield f"optimizer_{name}", trained([MaxAbsScaler(), Dense(1)], VALUES, optimizer=name)
    for name, schedule in SCHEDULES.items():
        yield f"schedule_{name}", trained([Dense(1)], VALUES, optimizer=SGD(schedule))
    for name, loss in LOSSES.items():
        yield f"loss_{name}", trained([Dense(1)], VALUES, loss=loss)
    yield "loss_poisson", trained([Dense(1)], abs(VALUES), loss="poisson")
    yield "loss_binary_cross_entropy", trained([Dense(1, "sigmoid")], CLASSES > 1)


def main(version: str) -> None:
    folder = FOLDER / version
    folder.mkdir()
    expected = {}
    for name, model in models():
        model.save(folder / f"{name}.safetensors")
        expected[name] = {
            "predictions": model.predict(X, threads=1).tolist(),
            "loss": type(model.loss).__name__,
            "optimizer": type(model.optimizer).__name__,
            "layers": [type(layer).__name__ for layer in model.layers],
            "epochs": model.epochs,
            "history": model.history.without_times(),
        }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
