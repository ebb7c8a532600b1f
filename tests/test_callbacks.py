"""Callbacks: when they are called, when training stops, what is restored and what is saved."""

import numpy as np
import pytest

from fastmlp import SGD, Callback, Dense, Dropout, EarlyStopping, ModelCheckpoint, Sequential, load
from fastmlp.callbacks import CallbackList
from fastmlp.inputs.splits import split_rows

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(40, 3)).astype(np.float32), RANDOM.integers(0, 2, 40)
OPTIONS = {"batch_size": 8, "verbose": 0}


def model_of(**options):
    """It learns the samples by heart, so its validation loss has a minimum."""
    layers = [Dense(30, "tanh"), Dropout(0.1), Dense(2, "softmax")]
    return Sequential(layers, **{"optimizer": SGD(0.3)} | options)


class Log(Callback):
    """Notes each call."""

    def __init__(self):
        self.calls = []

    def on_train_begin(self):
        self.calls.append("begin")

    def on_epoch_begin(self, epoch):
        self.calls.append(("epoch begins", epoch, len(self.model.history)))

    def on_epoch_end(self, epoch, logs):
        self.calls.append(("epoch ends", epoch, len(self.model.history)))
        assert tuple(logs) == self.metrics
        assert {name: curve[-1] for name, curve in self.model.history.metrics.items()} == logs

    def on_train_end(self):
        self.calls.append("end")


def test_when_they_are_called():
    model, log, called = model_of(), Log(), []
    for _ in range(2):
        model.fit(
            X,
            Y,
            epochs=1,
            callbacks=[log, lambda epoch, logs: called.append((epoch, logs["loss"]))],
            **OPTIONS,
        )
    first, second = ([("epoch begins", n, n - 1), ("epoch ends", n, n)] for n in (1, 2))
    assert log.calls == ["begin", *first, "end", "begin", *second, "end"]
    assert called == [(1, model.history["loss"][0]), (2, model.history["loss"][1])]


@pytest.mark.parametrize("given", [3, "stop", None, [3], [EarlyStopping], EarlyStopping()])
def test_what_is_no_callback(given):
    model = model_of()
    with pytest.raises(TypeError, match=r"callbacks: expected a list of callbacks such as EarlyStopping\(\)"):
        model.fit(X, Y, callbacks=given, **OPTIONS)
    assert model.epochs == 0


def test_an_error_in_a_callback_keeps_the_epoch():
    def fail(epoch, logs):
        raise RuntimeError("no space")

    model, other, log = model_of(), model_of(), Log()
    with pytest.raises(RuntimeError, match="no space"):
        model.fit(X, Y, epochs=3, callbacks=[log, fail], **OPTIONS)
    assert (model.epochs, model.history.epochs) == (1, [1])
    assert log.calls[-1] == ("epoch ends", 1, 1)
    model.fit(X, Y, epochs=1, **OPTIONS)
    other.fit(X, Y, epochs=2, **OPTIONS)
    np.testing.assert_array_equal(model.network.params, other.network.params)


def test_after_an_interruption_training_has_ended():
    def interrupt(epoch, logs):
        raise KeyboardInterrupt

    log = Log()
    with pytest.raises(KeyboardInterrupt):
        model_of().fit(X, Y, epochs=3, callbacks=[log, interrupt], **OPTIONS)
    assert log.calls[-1] == "end"


# Early stopping


def watched(curve, **options):
    """The callback after it has seen these values of the loss, and how many it has seen."""
    model = Sequential([Dense(1)]).build(2)
    stopping = EarlyStopping("loss", **options)
    hooks = CallbackList([stopping], model, ["loss"])
    hooks.on_train_begin()
    for epoch, value in enumerate(curve, 1):
        hooks.on_epoch_end(epoch, {"loss": value})
        if hooks.stopped:
            break
    return stopping, epoch


FALLING = [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("curve", "options", "best_epoch", "stopped_epoch"),
    [
        (FALLING, {}, 5, 0),
        ([3, 3, 1], {}, 1, 2),
        ([3, 4, 1], {"patience": 1}, 1, 2),
        ([3, 4, 4, 1], {"patience": 2}, 1, 3),
        ([3, 4, 2, 4, 4, 4], {"patience": 3}, 3, 6),
        ([3, 2.5, 2.0, 1.5], {"min_delta": 0.5, "patience": 2}, 3, 0),
        ([3, 2.5, 2.1, 2.0], {"min_delta": 1, "patience": 2}, 1, 3),
        (FALLING, {"mode": "max", "patience": 3}, 1, 4),
        ([1, 9, 9, 5, 6, 7], {"start_from_epoch": 3, "patience": 2}, 4, 6),
        ([np.nan, np.nan, 1], {"patience": 3}, 3, 0),
        ([1, np.nan, np.nan], {"patience": 2}, 1, 3),
        ([0, 0], {}, 1, 2),
    ],
)
def test_when_it_stops(curve, options, best_epoch, stopped_epoch):
    stopping, seen = watched(curve, **options)
    assert (stopping.best_epoch, stopping.stopped_epoch) == (best_epoch, stopped_epoch)
    assert seen == (stopped_epoch or len(curve))
    assert stopping.best == curve[best_epoch - 1]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("engine", ["kernels", "reference"])
def test_the_best_weights_come_back_to_the_last_bit(engine, threads):
    options = OPTIONS | {"engine": engine, "threads": threads, "validation_split": 0.5}
    stopping, model = EarlyStopping(patience=4, restore_best_weights=True), model_of()
    model.fit(X, Y, epochs=200, callbacks=[stopping], **options)
    assert model.epochs == stopping.stopped_epoch == stopping.best_epoch + 4 < 200
    assert (
        model.history["val_loss"][stopping.best_epoch - 1] == stopping.best == min(model.history["val_loss"])
    )
    short = model_of()
    short.fit(X, Y, epochs=stopping.best_epoch, **options)
    np.testing.assert_array_equal(model.network.params, short.network.params)
    np.testing.assert_array_equal(model.predict(X), short.predict(X))


def test_without_a_stop_the_best_weights_come_back_too():
    best, model = [], model_of()
    stopping = EarlyStopping("loss", mode="max", patience=100, restore_best_weights=True)
    model.fit(
        X, Y, epochs=4, callbacks=[stopping, lambda *_: best.append(model.network.params.copy())], **OPTIONS
    )
    assert stopping.stopped_epoch == 0
    np.testing.assert_array_equal(model.network.params, best[stopping.best_epoch - 1])
    assert (model.network.params != best[-1]).any()


def test_one_callback_serves_again():
    stopping, model = EarlyStopping("loss", min_delta=10, patience=2), model_of()
    for epochs in (3, 6):
        model.fit(X, Y, epochs=50, callbacks=[stopping], **OPTIONS)
        assert stopping.stopped_epoch == model.epochs == epochs


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStopping(patience=-1), "patience: expected a whole number of at least 0, got -1"),
        (lambda: EarlyStopping(patience=1.5), "patience: .* got 1.5"),
        (lambda: EarlyStopping(start_from_epoch=None), "start_from_epoch: .* got None"),
        (lambda: EarlyStopping(min_delta=-1), "min_delta: expected a number of at least 0, got -1"),
        (lambda: EarlyStopping(min_delta="a"), "min_delta: .* got 'a'"),
        (lambda: EarlyStopping(mode="up"), "mode: expected one of auto, max, min"),
        (
            lambda: EarlyStopping("val_los"),
            "monitor: expected loss or one of accuracy, .* got 'val_los'; .* mode='min'",
        ),
    ],
)
def test_bad_options(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (EarlyStopping, "monitor: expected one of accuracy, loss, .* got 'val_loss'; give validation_data"),
        (lambda: EarlyStopping("mean_absolute_error"), "monitor: .* got 'mean_absolute_error'$"),
        (lambda: ModelCheckpoint("best", save_best_only=True), "monitor: "),
        (lambda: ModelCheckpoint("no/such/best"), "there is no folder 'no/such'; make it first"),
        (lambda: ModelCheckpoint("{val_loss}"), r"cannot fill in .* \('val_loss'\); known are epoch, loss, "),
        (lambda: ModelCheckpoint("{epoch:q}"), "cannot fill in what is in braces"),
    ],
)
def test_nothing_is_trained_in_vain(make, message):
    model = model_of()
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, callbacks=[make()], **OPTIONS)
    assert model.epochs == len(model.history) == 0


class PerBatch(Callback):
    def on_train_batch_end(self, batch, logs):
        raise NotImplementedError


def test_methods_that_would_never_be_called():
    model = model_of()
    message = "callbacks: PerBatch: expected methods among on_train_begin, .*, got on_train_batch_end, which"
    with pytest.raises(TypeError, match=message):
        model.fit(X, Y, callbacks=[PerBatch()], **OPTIONS)
    assert model.epochs == 0


@pytest.mark.parametrize("best_only", [True, False])
def test_a_rate_that_no_file_can_hold(best_only, tmp_path):
    model = model_of(optimizer=SGD(lambda step: 0.1))
    checkpoint = ModelCheckpoint(tmp_path / "model", monitor="loss", save_best_only=best_only)
    with pytest.raises(ValueError, match="learning_rate is a Python function"):
        model.fit(X, Y, callbacks=[checkpoint], **OPTIONS)
    assert model.epochs == 0


def test_a_callback_may_stop_before_the_first_epoch():
    class Stop(Callback):
        def on_train_begin(self):
            self.model.stop_training = True

    model = model_of()
    model.fit(X, Y, callbacks=[Stop()], **OPTIONS)
    assert model.epochs == 0


# Checkpoints


@pytest.mark.survives("R28")
def test_a_checkpoint_goes_on_with_the_same_bits(tmp_path):
    model = model_of(optimizer="adam")
    checkpoint = ModelCheckpoint(tmp_path / "{epoch:02d}-{loss:.1f}.safetensors")
    model.fit(X, Y, epochs=4, callbacks=[checkpoint], **OPTIONS)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == [
        f"{epoch:02d}-{loss:.1f}.safetensors"
        for epoch, loss in zip(range(1, 5), model.history["loss"], strict=True)
    ]
    resumed = load(files[1])
    assert resumed.epochs == 2
    resumed.fit(X, Y, epochs=4, initial_epoch=2, **OPTIONS)
    assert resumed.history.epochs == [1, 2, 3, 4]
    for name in ("params", "slots"):
        np.testing.assert_array_equal(getattr(resumed.network, name), getattr(model.network, name))


def test_only_the_best_are_saved(tmp_path):
    model, path, saved = model_of(), tmp_path / "best", []
    checkpoint = ModelCheckpoint(path, save_best_only=True)
    note = lambda *_: saved.append(load(path).epochs)  # noqa: E731
    model.fit(X, Y, epochs=20, validation_split=0.5, callbacks=[checkpoint, note], **OPTIONS)
    losses = model.history["val_loss"]
    assert saved == [int(np.argmin(losses[:n])) + 1 for n in range(1, 21)]
    assert saved[-1] == checkpoint.best_epoch < 20
    _, validation = split_rows(len(X), 0.5, Y, 0)
    assert load(path).evaluate(X[validation], Y[validation])["loss"] == checkpoint.best == min(losses)
