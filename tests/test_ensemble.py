"""Ensembles: members as lone fits, means and deviations, resampling, files."""

import copy
import os
import pickle
import signal
import time
import warnings

import numpy as np
import pytest

from fastmlp import (
    Adam,
    Dense,
    EarlyStopping,
    Ensemble,
    FileFormatError,
    Sequential,
    StandardScaler,
    TrainingDiverged,
    fit_many,
    load,
)
from fastmlp.files.model_file import read_model, write_model
from fastmlp.inputs.resampling import bootstrap_rows, fold_rows
from tests.test_interruptions import when_training

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(60, 4)).astype("float32")
CLASSES = np.digitize(X[:, 0], (-0.5, 0.5))
VALUES = np.stack([X[:, 0] - X[:, 1], X[:, 2] ** 2], axis=1)
KINDS = {
    "softmax": (lambda: [StandardScaler(), Dense(6, "relu"), Dense(3, "softmax")], CLASSES),
    "sigmoid": (lambda: [Dense(6, "tanh"), Dense(1, "sigmoid")], CLASSES > 0),
    "values": (lambda: [Dense(6, "tanh"), Dense(2)], VALUES),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def made(kind, members=4, **options):
    return Ensemble.of(Sequential(KINDS[kind][0](), optimizer=Adam(0.02), **options), members)


def trained(kind, members=4, **options):
    ensemble = made(kind, members)
    ensemble.fit(X, KINDS[kind][1], **{"epochs": 4, "verbose": 0} | options)
    return ensemble


def bits(ensemble):
    return [member.network.params.tobytes() for member in ensemble]


@each_kind
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_members_are_as_if_they_were_fitted_alone(kind, threads):
    ensemble = trained(kind, threads=threads, resample="bootstrap", seed=3)
    for place, member in enumerate(ensemble):
        rows, rest = bootstrap_rows(60, place, 3)
        lone = Sequential(KINDS[kind][0](), optimizer=Adam(0.02), seed=place)
        y = KINDS[kind][1]
        lone.fit(X[rows], y[rows], epochs=4, validation_data=(X[rest], y[rest]), verbose=0)
        assert member.network.params.tobytes() == lone.network.params.tobytes()
        assert member.history["val_loss"] == lone.history["val_loss"]


@each_kind
def test_predictions_are_of_all_members(kind):
    ensemble = trained(kind)
    outputs = np.stack([member.predict(X) for member in ensemble])
    exact = outputs.astype(float)
    assert np.array_equal(ensemble.predict_members(X), outputs)
    assert ensemble.predict(X) == pytest.approx(exact.mean(axis=0), abs=1e-6)
    assert ensemble.predict_std(X) == pytest.approx(exact.std(axis=0), abs=1e-6)
    assert np.array_equal(ensemble.predict_quantiles(X, [0, 1]), [outputs.min(axis=0), outputs.max(axis=0)])
    assert ensemble.predict_quantiles(X, 0.5) == pytest.approx(np.median(exact, axis=0), abs=1e-6)
    assert ensemble.predict(X).dtype == ensemble.predict_std(X).dtype == np.float32


@each_kind
def test_one_sample_and_any_threads_give_the_same_bits(kind):
    ensemble = trained(kind, members=11)
    whole = ensemble.predict(X)
    assert np.array_equal(ensemble.predict(X, threads=3), whole)
    assert np.array_equal(ensemble.predict(X[7]), whole[7])
    assert np.array_equal(ensemble.predict_std(X[7]), ensemble.predict_std(X)[7])
    assert ensemble.predict_quantiles(X[7], [0.1, 0.9]).shape == (2, whole.shape[1])


@each_kind
def test_evaluate_is_about_the_mean(kind):
    ensemble, y = trained(kind), KINDS[kind][1]
    mean = ensemble.predict(X).astype(float)
    found = ensemble.evaluate(X, y, metrics=["r2" if kind == "values" else "f1"])
    if kind == "softmax":
        expected = -np.log(mean[np.arange(60), y]).mean(), (mean.argmax(axis=1) == y).mean()
    elif kind == "sigmoid":
        right = np.where(y, mean[:, 0], 1 - mean[:, 0])
        expected = -np.log(right).mean(), (right > 0.5).mean()
    else:
        expected = np.square(mean - y).mean(), np.abs(mean - y).mean()
    assert list(found) == list(ensemble[0].evaluate(X, y, metrics=["r2" if kind == "values" else "f1"]))
    assert [*found.values()][:2] == pytest.approx(expected, rel=1e-5)


@each_kind
def test_an_ensemble_of_one_is_its_member(kind):
    ensemble, y = trained(kind, members=1), KINDS[kind][1]
    assert np.array_equal(ensemble.predict(X), ensemble[0].predict(X))
    assert not ensemble.predict_std(X).any()
    assert ensemble.evaluate(X, y) == pytest.approx(ensemble[0].evaluate(X, y), rel=1e-5)


def test_certain_members_have_a_finite_loss():
    model = Sequential([Dense(1, "sigmoid")]).build(1)
    model.layers[0].weight = [[1000.0]]
    scores = Ensemble([model]).evaluate([[1.0], [-1.0]], [0, 0])
    assert 5 < scores["loss"] < 100
    assert scores["accuracy"] == 0.5


def test_classes_with_names():
    names = np.array(["low", "middle", "high"])[CLASSES]
    ensemble = made("softmax")
    ensemble.fit(X, names, epochs=30, resample="folds", verbose=0)
    assert ensemble.class_names == ("high", "low", "middle")
    assert (ensemble.predict_classes(X) == names).mean() > 0.6
    assert ensemble.evaluate(X, names)["accuracy"] == (ensemble.predict_classes(X) == names).mean()
    assert ensemble.predict_classes(X[0]).shape == ()


def test_folds_part_the_samples_and_share_out_the_classes():
    parts = fold_rows(60, 4, CLASSES, 0)
    assert sorted(np.concatenate([inside for _, inside in parts])) == list(range(60))
    for outside, inside in parts:
        assert not np.intersect1d(outside, inside).size
        assert len(outside) + len(inside) == 60
        assert np.abs(np.bincount(CLASSES[inside]) - np.bincount(CLASSES) / 4).max() <= 1
    assert not np.array_equal(parts[0][1], fold_rows(60, 4, CLASSES, 1)[0][1])
    assert [len(inside) for _, inside in fold_rows(7, 3, None, 0)] == [3, 2, 2]


def test_bootstrap_samples_are_portable():
    rows, rest = bootstrap_rows(10, 0, 0)
    assert (rows.tolist(), rest.tolist()) == ([1, 3, 3, 4, 5, 5, 7, 8, 8, 9], [0, 2, 6])
    drawn = [bootstrap_rows(10_000, member, 0) for member in range(2)]
    for rows, rest in drawn:
        assert rows.size == 10_000 and 0.62 < 1 - rest.size / 10_000 < 0.65
        assert np.abs(np.histogram(rows, 10)[0] - 1000).max() < 150
    assert not np.array_equal(drawn[0][0], drawn[1][0])


def test_early_stopping_on_the_samples_of_the_others():
    ensemble = made("values")
    stopping = EarlyStopping(patience=2, restore_best_weights=True)
    histories = ensemble.fit(
        X, VALUES, epochs=400, batch_size=8, resample="folds", early_stopping=stopping, verbose=0
    )
    assert all(3 <= len(history) < 400 for history in histories)
    assert histories == ensemble.histories


def test_members_that_diverged_are_left_out(tmp_path):
    ensemble = made("values", 3)
    ensemble[1].optimizer.learning_rate = 1e30
    with pytest.warns(RuntimeWarning, match="1 of 3 models diverged: model 1"):
        ensemble.fit(X * 1e3, VALUES, epochs=20, verbose=0)
    assert ensemble.diverged == (1,)
    assert len(ensemble.predict_members(X)) == 2
    ensemble.save(tmp_path / "ensemble")
    assert Ensemble.load(tmp_path / "ensemble").diverged == (1,)
    assert ensemble[1:].diverged == (0,)
    for member in ensemble:
        member.optimizer.learning_rate = 1e30
    with pytest.raises(TrainingDiverged):
        ensemble.fit(X * 1e3, VALUES, epochs=20, verbose=0)
    with pytest.raises(RuntimeError, match="all members of the ensemble diverged"):
        ensemble.predict(X)


@each_kind
def test_a_file_holds_all_members(kind, tmp_path):
    ensemble = trained(kind)
    path = tmp_path / "ensemble.safetensors"
    ensemble.save(path)
    loaded = Ensemble.load(path)
    assert np.array_equal(loaded.predict(X), ensemble.predict(X))
    assert [history.without_times() for history in loaded.histories] == [
        history.without_times() for history in ensemble.histories
    ]
    for each in (ensemble, loaded):
        each.fit(X, KINDS[kind][1], epochs=2, verbose=0)
    assert bits(loaded) == bits(ensemble)
    content = path.read_bytes()
    Ensemble.load(path).save(path)
    assert path.read_bytes() == content


def test_a_file_of_the_other_kind_names_the_way(tmp_path):
    ensemble = trained("values", members=2)
    ensemble.save(tmp_path / "ensemble")
    ensemble[0].save(tmp_path / "model")
    with pytest.raises(FileFormatError, match=r"got an ensemble; read it with fastmlp\.Ensemble\.load"):
        load(tmp_path / "ensemble")
    with pytest.raises(FileFormatError, match=r"got one model; read it with fastmlp\.load"):
        Ensemble.load(tmp_path / "model")


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "ensemble"
    ensemble = Ensemble([Sequential([Dense(1)], seed=seed).build(2) for seed in range(2)])
    ensemble.save(path)
    content = path.read_bytes()
    for place in range(0, len(content), 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(FileFormatError):
            Ensemble.load(path)
    path.write_bytes(content[:-1])
    with pytest.raises(FileFormatError):
        Ensemble.load(path)


def test_files_that_lie_are_refused(tmp_path):
    path = tmp_path / "ensemble"
    Ensemble([Sequential([Dense(1)], seed=seed).build(2) for seed in range(2)]).save(path)
    config, tensors = read_model(path)
    other = Sequential([Dense(3, "softmax")]).build(2)
    other.save(tmp_path / "other")
    lies = [
        ({**config, "members": 3}, tensors),
        ({**config, "members": True}, tensors),
        ({**config, "diverged": [0, 1]}, tensors),
        ({**config, "diverged": [2]}, tensors),
        ({**config, "diverged": ["0"]}, tensors),
        ({**config, "more": 1}, tensors),
        (config, {**tensors, "member2": tensors["member1"]}),
        (config, {**tensors, "member1": tensors["member1"][:-1].copy()}),
        (config, {**tensors, "member1": np.zeros(8, "float32")}),
        (config, {**tensors, "member1": np.frombuffer((tmp_path / "other").read_bytes(), np.uint8)}),
    ]
    for lie in lies:
        write_model(path, *lie)
        with pytest.raises(FileFormatError, match="ensemble"):
            Ensemble.load(path)


def test_copies_have_members_of_their_own():
    ensemble = trained("softmax", members=2)
    before = bits(ensemble)
    for copied in (copy.copy(ensemble), copy.deepcopy(ensemble), pickle.loads(pickle.dumps(ensemble))):  # noqa: S301
        copied.fit(X, CLASSES, epochs=1, verbose=0)
        assert bits(copied) != before
    assert bits(ensemble) == before


def test_members_by_number():
    ensemble = made("values")
    assert len(ensemble) == 4 and list(ensemble) == list(ensemble.members)
    assert ensemble[-1] is ensemble.members[3]
    assert list(ensemble[1:3]) == list(ensemble.members[1:3])
    assert repr(ensemble).startswith("<Ensemble of 4 models: Sequential([Dense(")
    assert [member.seed for member in ensemble] == [0, 1, 2, 3]


def test_trained_models_can_be_joined():
    models = [Sequential([Dense(2, "softmax")], seed=seed) for seed in range(3)]
    fit_many(models, X, CLASSES > 0, epochs=1, verbose=0)
    assert Ensemble(models).predict(X).shape == (60, 2)


def softmax(units=2, **options):
    return Sequential([Dense(units, "softmax")], **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Ensemble([]), "models: expected a list of Sequential, at least one"),
        (lambda: Ensemble(softmax()), "models: expected a list of Sequential"),
        (lambda: Ensemble([softmax(2), softmax(3)]), "expected the same units of the last layer"),
        (lambda: Ensemble([softmax(1), Sequential([Dense(1)])]), "expected the same last activation"),
        (lambda: Ensemble([softmax(), softmax(loss="huber")]), "expected the same loss"),
        (lambda: Ensemble([softmax(), softmax(class_names=["a", "b"])]), "expected the same class names"),
        (lambda: Ensemble([softmax()] * 2), "expected models that share no layer"),
        (lambda: Ensemble.of(softmax().build(2), 2), "expected one that is not built yet"),
        (lambda: Ensemble.of(softmax(), 0), "members: expected a whole number of at least 1"),
        (lambda: made("softmax").fit(X, CLASSES, resample="jackknife"), "resample: expected"),
        (lambda: made("softmax").fit(X, CLASSES, resample="folds", rows=[[0]] * 4), "give one of them"),
        (lambda: made("softmax", 1).fit(X, CLASSES, resample="folds"), "2 to 60 members"),
        (lambda: made("softmax").fit(X[:1], CLASSES[:1], resample="bootstrap"), "more than 1 samples"),
        (lambda: made("softmax").fit(X, CLASSES, resample="folds", seed=-1), "seed: expected"),
        (lambda: made("softmax").fit(X, CLASSES, verbose=True), "verbose: expected 0, 1 or 2"),
        (lambda: trained("values", 2).predict_quantiles(X, 1.5), "q: expected numbers from 0 to 1"),
        (lambda: trained("values", 2).evaluate(X[0], VALUES[0]), "X: expected samples"),
    ],
)
def test_what_is_refused(call, message):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((ValueError, TypeError), match=message):
            call()


def interrupt():
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_leaves_every_member_usable():
    ensemble = made("values", 3)
    for member in ensemble[:2]:
        member.build(4)
    watcher = when_training(ensemble[0], interrupt)
    with pytest.raises(KeyboardInterrupt):
        ensemble.fit(X, VALUES, epochs=10**6, batch_size=4, threads=1, verbose=0)
    watcher.join()
    assert len(ensemble.histories[0]) == ensemble[0].epochs > 0
    assert np.isfinite(ensemble[:2].predict(X)).all()
    with pytest.raises(RuntimeError, match="no parameters yet"):
        ensemble.predict(X)
    ensemble.fit(X, VALUES, epochs=1, verbose=0)
    assert np.isfinite(ensemble.predict(X)).all()
