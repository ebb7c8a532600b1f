"""Schedules: their shape, their checks, files, and training that goes on with the same bits."""

import inspect

import numpy as np
import pytest

from fastmlp import SGD, Adam, Dense, FileFormatError, Sequential, load, schedules
from fastmlp.files.model_file import read_model, write_model
from fastmlp.schedules import (
    NO_PLATEAU,
    Constant,
    CosineDecay,
    CosineRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    OneCycle,
    Plateau,
    PolynomialDecay,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    WarmUp,
    schedule_from_config,
)

SCHEDULES = {
    "constant": Constant(0.1),
    "step": StepDecay(0.1, steps=3),
    "exponential": ExponentialDecay(0.1, steps=3),
    "inverse time": InverseTimeDecay(0.1, 0.5),
    "polynomial": PolynomialDecay(0.1, steps=8, end=0.01, power=2.0),
    "cosine": CosineDecay(0.1, steps=8),
    "cosine restarts": CosineRestarts(0.1, steps=2, grow=2, factor=0.5),
    "one cycle": OneCycle(0.1, steps=12),
    "warm-up": WarmUp(CosineDecay(0.1, steps=8), steps=3),
    "plateau": ReduceOnPlateau(WarmUp(0.1, steps=2), factor=0.5, patience=0, threshold=0.5),
}
X = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
Y = np.arange(12) % 3


def small(rate, **options):
    return Sequential(
        [Dense(5, "tanh"), Dense(3, "softmax")], optimizer=SGD(rate, momentum=0.5, **options), seed=2
    )


def parameters(model):
    return np.concatenate([array.ravel() for layer in model.layers for array in layer.parameters.values()])


def test_every_schedule_is_tested():
    kinds = {
        kind for _, kind in inspect.getmembers(schedules, inspect.isclass) if issubclass(kind, Schedule)
    } - {Schedule, schedules.Function}
    assert {type(schedule) for schedule in SCHEDULES.values()} == kinds


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_is_a_function_of_each_step_alone(name):
    """So the rates do not depend on how steps are divided into epochs."""
    schedule, steps = SCHEDULES[name], np.arange(40)
    rates = schedule(steps)
    assert rates.dtype == np.float64
    assert np.all(np.isfinite(rates) & (rates >= 0))
    assert np.array_equal(rates, np.concatenate([schedule(steps[step : step + 1]) for step in steps]))


@pytest.mark.parametrize("name", SCHEDULES)
def test_resumed_training(name, tmp_path):
    """Two steps an epoch; the file comes in the middle of each schedule."""
    options = {"batch_size": 6, "verbose": 0}
    whole, half = small(SCHEDULES[name], decay=0.01), small(SCHEDULES[name], decay=0.01)
    whole.fit(X, Y, epochs=7, **options)
    half.fit(X, Y, epochs=3, **options)
    half.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.optimizer == half.optimizer
    assert loaded.network.plateau == half.network.plateau
    loaded.fit(X, Y, epochs=4, **options)
    np.testing.assert_array_equal(parameters(whole), parameters(loaded))
    if name == "plateau":
        assert whole.network.plateau.scale < 1


def test_a_schedule_sets_the_rate_of_each_step():
    """Three steps of plain gradient descent by hand."""
    schedule = StepDecay(0.5, steps=2, factor=0.5)
    scheduled, by_hand = (
        Sequential([Dense(3, "softmax")], optimizer=SGD(rate), seed=2) for rate in (schedule, 0.5)
    )
    scheduled.fit(X, Y, epochs=1, batch_size=4, shuffle=False, verbose=0)
    for step, rate in enumerate((0.5, 0.5, 0.25)):
        by_hand.optimizer = SGD(rate)
        by_hand.fit(
            X[4 * step : 4 * step + 4], Y[4 * step : 4 * step + 4], epochs=1, shuffle=False, verbose=0
        )
    np.testing.assert_array_equal(parameters(scheduled), parameters(by_hand))


def test_decay_is_inverse_time():
    decayed, scheduled = small(0.1, decay=0.3), small(InverseTimeDecay(0.1, 0.3))
    for model in (decayed, scheduled):
        model.fit(X, Y, epochs=3, batch_size=6, verbose=0)
    np.testing.assert_array_equal(parameters(decayed), parameters(scheduled))


def test_a_function_of_the_step(tmp_path):
    steps = []

    def rate(step):
        steps.append(step)
        return 0.1 if step < 3 else 0.05

    functional, scheduled = small(rate), small(StepDecay(0.1, steps=3, factor=0.5))
    for model in (functional, scheduled):
        model.fit(X, Y, epochs=3, batch_size=6, verbose=0)
    assert steps == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(parameters(functional), parameters(scheduled))
    with pytest.raises(ValueError, match=r"learning_rate is a Python function.*fastmlp\.schedules"):
        functional.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
    functional.optimizer = SGD(0.05, momentum=0.5)
    functional.save(tmp_path / "model")
    np.testing.assert_array_equal(parameters(load(tmp_path / "model")), parameters(functional))


@pytest.mark.parametrize("wrong", [np.nan, -0.1, np.inf])
def test_rates_that_are_none(wrong):
    model = small(lambda step: 0.1 if step < 3 else wrong)
    model.fit(X, Y, epochs=1, batch_size=6, verbose=0)
    before = parameters(model)
    with pytest.raises(
        ValueError,
        match=r"learning_rate: Function.*at least 0, got .*; this is the rate of step 3",
    ):
        model.fit(X, Y, epochs=1, batch_size=6, verbose=0)
    np.testing.assert_array_equal(parameters(model), before)


def test_plateau_needs_its_metric():
    model = small(ReduceOnPlateau(0.1, monitor="val_loss"))
    with pytest.raises(ValueError, match="ReduceOnPlateau: monitor: expected one of accuracy, loss"):
        model.fit(X, Y, epochs=2, verbose=0)
    assert len(model.history) == 0
    assert model.network.steps == [0, 0]
    model.fit(X, Y, epochs=2, validation_data=(X, Y), verbose=0)


def test_plateau_has_a_least_rate():
    schedule = ReduceOnPlateau(0.1, factor=0.1, least=0.005)
    optimizer = SGD(schedule)
    assert optimizer.rates(np.arange(2), Plateau(0.01)).tolist() == [0.005, 0.005]
    assert optimizer.rates(np.arange(2), Plateau(0.1)).tolist() == [0.1 * 0.1] * 2
    assert optimizer.rates(np.arange(2)).tolist() == [0.1, 0.1]


@pytest.mark.parametrize(
    ("options", "better", "worse"),
    [
        ({"monitor": "val_f1"}, 0.52, 0.4),
        ({"monitor": "r2"}, -0.4, -0.5),  # below 0, 0.01 times the best value is a step down
        ({"monitor": "val_mean_absolute_error"}, 0.4, 0.5),
        ({"monitor": "loss"}, -0.6, -0.5),  # as the Poisson loss may be
        ({"monitor": "mine", "mode": "max"}, 0.6, 0.5),
        ({"monitor": "mine", "mode": "min"}, 0.5, 0.6),
    ],
)
def test_plateau_knows_which_way_is_better(options, better, worse):
    schedule = ReduceOnPlateau(0.1, factor=0.5, patience=0, threshold=0.01, **options)
    name = options["monitor"]
    started = schedule.after_epoch(NO_PLATEAU, {name: worse})
    assert schedule.after_epoch(started, {name: better}) == Plateau(1.0, better)
    assert schedule.after_epoch(started, {name: worse}) == Plateau(0.5, worse)


def test_another_optimizer_starts_its_plateau_afresh():
    model = small(ReduceOnPlateau(0.1, patience=0, threshold=0.9))
    model.fit(X, Y, epochs=4, verbose=0)
    assert model.network.plateau.scale < 1
    model.optimizer = Adam(0.01)
    model.fit(X, Y, epochs=1, verbose=0)
    assert model.network.plateau == NO_PLATEAU


@pytest.mark.parametrize("name", SCHEDULES)
def test_configurations(name):
    assert schedule_from_config(SCHEDULES[name].config()) == SCHEDULES[name]


LIES = {
    "unknown schedule": {"kind": "sawtooth"},
    "no kind": {"rate": 0.1},
    "a function": {"kind": "function", "function": "os.system"},
    "unknown option": {"kind": "constant", "rate": 0.1, "module": "os"},
    "missing option": {"kind": "step", "rate": 0.1},
    "wrong option": {"kind": "constant", "rate": "fast"},
    "wrong schedule inside": {"kind": "warm_up", "rate": {"kind": "x"}, "steps": 3},
    "endless": {"kind": "step", "rate": 0.1, "steps": 10**400, "factor": 0.5},
}


@pytest.mark.parametrize("lie", LIES)
def test_files_that_lie(lie, tmp_path):
    model = small(SCHEDULES["step"])
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "model")
    config, tensors = read_model(tmp_path / "model")
    config["optimizer"]["learning_rate"] = LIES[lie]
    write_model(tmp_path / "lie", config, tensors)
    with pytest.raises(FileFormatError, match="lie: not a model of fastmlp: "):
        load(tmp_path / "lie")


@pytest.mark.parametrize(
    "plateau", [None, [1.0], [0, None, 0, 0], [1.0, "x", 0, 0], [1.0, None, -1, 0], [2, 1, 1, 1]]
)
def test_plateaus_that_lie(plateau, tmp_path):
    model = small(SCHEDULES["plateau"])
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "model")
    config, tensors = read_model(tmp_path / "model")
    write_model(tmp_path / "lie", config | {"plateau": plateau}, tensors)
    with pytest.raises(
        FileFormatError, match=r"lie: not a model of fastmlp: plateau: expected a list such as"
    ):
        load(tmp_path / "lie")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(0), "Constant: rate: expected a number above 0, got 0"),
        (lambda: Constant("fast"), "Constant: rate: expected .*, got 'fast'"),
        (lambda: Constant(Constant(0.1)), "Constant: rate: expected .*, got Constant"),
        (
            lambda: StepDecay(0.1, steps=0),
            "StepDecay: steps: expected a whole number of at least 1 .*, got 0",
        ),
        (lambda: StepDecay(0.1, steps=2.5), "StepDecay: steps: expected .*, got 2.5"),
        (lambda: StepDecay(0.1, steps=10**400), "StepDecay: steps: expected .*, got 1000"),
        (lambda: ExponentialDecay(0.1, 3, factor=np.nan), "ExponentialDecay: factor: expected .*, got nan"),
        (
            lambda: InverseTimeDecay(0.1, -1),
            "InverseTimeDecay: decay: expected a number of at least 0, got -1",
        ),
        (lambda: PolynomialDecay(0.1, 3, power=0), "PolynomialDecay: power: expected .*, got 0"),
        (lambda: CosineDecay(0.1, 3, end=-0.1), "CosineDecay: end: expected .*, got -0.1"),
        (lambda: CosineRestarts(0.1, 3, grow=0), "CosineRestarts: grow: expected .*, got 0"),
        (lambda: OneCycle(0.1, 3, rise=1), "OneCycle: rise: expected a number above 0 and below 1, got 1"),
        (lambda: WarmUp("x", 3), "WarmUp: rate: expected .*, got 'x'"),
        (lambda: ReduceOnPlateau(0.1, factor=1), "ReduceOnPlateau: factor: .* below 1, got 1.0"),
        (lambda: ReduceOnPlateau(0.1, monitor=""), "ReduceOnPlateau: monitor: expected .*, got ''"),
        (
            lambda: ReduceOnPlateau(0.1, mode="up"),
            "ReduceOnPlateau: mode: expected one of auto, min, max, got 'up'",
        ),
        (
            lambda: ReduceOnPlateau(0.1, monitor="x"),
            "monitor: expected loss or one of accuracy, .* got 'x'; .* mode='min'",
        ),
        (lambda: ReduceOnPlateau(0.1, patience=-1), "ReduceOnPlateau: patience: expected .*, got -1"),
        (lambda: schedules.Function(3), "Function: function: expected a function of the step, got 3"),
    ],
)
def test_bad_schedules(make, message):
    with pytest.raises(ValueError, match=message):
        make()
