"""R28: a run that was killed and resumed equals the uninterrupted one, early stopping and the best file included."""

import copy
import pickle

import numpy as np
import pytest

from fastmlp import (
    SGD,
    BatchNorm,
    Callback,
    Dense,
    Dropout,
    EarlyStopping,
    FileFormatError,
    ModelCheckpoint,
    Sequential,
    StandardScaler,
    load,
)
from fastmlp.files.model_file import read_model, write_model

pytestmark = pytest.mark.survives("R28")


RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(40, 3)).astype(np.float32), RANDOM.integers(0, 2, 40)
OPTIONS = {"batch_size": 8, "validation_split": 0.5, "verbose": 0}
PATIENCE = 4


def new_model():
    layers = [StandardScaler(), Dense(30, "tanh"), BatchNorm(), Dropout(0.1), Dense(2, "softmax")]
    return Sequential(layers, optimizer=SGD(0.3, momentum=0.5))


def stopping():
    return EarlyStopping(patience=PATIENCE, restore_best_weights=True)


def fit(model, callbacks, epochs=60, **options):
    model.fit(X, Y, epochs=epochs, initial_epoch=model.epochs, callbacks=callbacks, **OPTIONS | options)


class KilledError(Exception):
    """In place of a signal."""


def killed_after(epoch):
    def kill(number, logs):
        if number == epoch:
            raise KilledError

    return kill


@pytest.fixture(scope="module")
def whole():
    """The uninterrupted run, and its callback."""
    model, callback = new_model(), stopping()
    fit(model, [callback])
    assert PATIENCE < callback.stopped_epoch == callback.best_epoch + PATIENCE < 60
    return model, callback


def assert_same_end(model, callback, whole):
    wanted, uninterrupted = whole
    assert callback.stopped_epoch == uninterrupted.stopped_epoch
    assert (callback.best_epoch, callback.best) == (uninterrupted.best_epoch, uninterrupted.best)
    for arena in ("params", "slots"):
        np.testing.assert_array_equal(getattr(model.network, arena), getattr(wanted.network, arena))
    assert model.history.without_times() == wanted.history.without_times()


@pytest.mark.parametrize("back", range(-1, PATIENCE + 1))
@pytest.mark.parametrize("checkpoint_first", [True, False])
def test_early_stopping_goes_on(back, checkpoint_first, whole, tmp_path):
    """Killed before the best epoch, in it, after it, and when it had just stopped."""
    last = whole[1].best_epoch + back
    path = tmp_path / "model.safetensors"
    checkpoint = ModelCheckpoint(path)
    kill = killed_after(last)
    callbacks = [checkpoint, kill, stopping()] if checkpoint_first else [stopping(), checkpoint, kill]
    with pytest.raises(KilledError):
        fit(new_model(), callbacks)
    model, again = load(path), stopping()
    assert model.epochs == len(model.history) == last
    fit(model, [again], threads=2)
    assert_same_end(model, again, whole)


@pytest.mark.parametrize("way", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])  # noqa: S301
def test_copies_go_on_too(way, whole):
    copies = []

    class Keep(Callback):
        def on_epoch_end(self, epoch, logs):
            if epoch == whole[1].best_epoch + 2:
                copies.append(way(self.model))

    fit(new_model(), [stopping(), Keep()])
    again = stopping()
    fit(copies[0], [again])
    assert_same_end(copies[0], again, whole)


def test_without_an_initial_epoch_it_begins_again(whole):
    model, callback = copy.deepcopy(whole[0]), stopping()
    assert not model.memories
    model.fit(X, Y, epochs=1, callbacks=[callback], **OPTIONS)
    assert callback.best_epoch == model.epochs


def test_a_callback_with_other_options_begins_again(whole, tmp_path):
    path = tmp_path / "model"
    with pytest.raises(KilledError):
        fit(new_model(), [stopping(), ModelCheckpoint(path), killed_after(3)])
    model, other = load(path), EarlyStopping(monitor="loss", patience=2)
    fit(model, [other], epochs=4)
    assert other.best_epoch == 4
    assert [watched.monitor for watched in model.memories] == ["loss"]


def best_file(path):
    return ModelCheckpoint(path, save_best_only=True)


def test_a_worse_epoch_never_replaces_the_best_file(whole, tmp_path):
    """Neither after a resume, nor when the model is trained on."""
    path, best = tmp_path / "best", whole[1].best_epoch
    model = new_model()
    fit(model, [best_file(path)], epochs=best)
    content = path.read_bytes()
    assert load(path).epochs == best
    model.save(tmp_path / "last")
    for resumed in (load(tmp_path / "last"), load(path), model, copy.deepcopy(model)):
        fit(resumed, [best_file(path)], epochs=best + PATIENCE - 1)
        assert path.read_bytes() == content
        resumed.fit(X, Y, epochs=1, callbacks=[best_file(path)], **OPTIONS)
        assert load(path).epochs == best or resumed.history["val_loss"][-1] < min(
            resumed.history["val_loss"][:-1]
        )


def test_a_best_file_that_is_gone_is_written_again(whole, tmp_path):
    path, best = tmp_path / "best", whole[1].best_epoch
    model = new_model()
    fit(model, [best_file(path)], epochs=best)
    path.unlink()
    fit(model, [best_file(path)], epochs=best + 1)
    assert load(path).epochs == best + 1


def test_a_new_model_replaces_the_file_of_another(tmp_path):
    path = tmp_path / "best"
    for _ in range(2):
        model = new_model()
        fit(model, [best_file(path)], epochs=1)
        assert load(path).history.epochs == [1]


def test_a_best_file_that_could_not_be_written(tmp_path, monkeypatch):
    path, model = tmp_path / "best", new_model()
    fit(model, [best_file(path)], epochs=1)
    before = dict(model.memories)
    monkeypatch.setattr(Sequential, "save", lambda self, path: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        fit(model, [best_file(path)], epochs=30)
    assert [memory.best for memory in model.memories.values()] == [memory.best for memory in before.values()]


# What the file holds


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("resumed") / "model"
    with pytest.raises(KilledError):
        fit(new_model(), [stopping(), ModelCheckpoint(path), killed_after(3)])
    return read_model(path)


def test_saved_again_it_is_the_same_file(saved, tmp_path):
    write_model(tmp_path / "one", *saved)
    load(tmp_path / "one").save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_same_training_gives_the_same_file(tmp_path):
    """Times are not kept."""
    for name in ("one", "two"):
        model = new_model()
        fit(model, [], epochs=2)
        model.save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert "seconds" in model.history and "seconds" not in load(tmp_path / "one").history


def in_callback(**lies):
    return lambda config, tensors: config["callbacks"][0].update(lies)


def in_history(text):
    return lambda config, tensors: tensors.update(history=np.frombuffer(text, np.uint8))


LIES = {
    "no callbacks": lambda config, tensors: config.update(callbacks=[]),
    "callbacks that are a text": lambda config, tensors: config.update(callbacks="early"),
    "unknown kind": in_callback(kind="os.system"),
    "unknown mode": in_callback(mode="up"),
    "a monitor that is no text": in_callback(monitor=3),
    "negative epoch": in_callback(best_epoch=-1),
    "negative delta": in_callback(min_delta=-1.0),
    "a best epoch without a value": in_callback(best=None),
    "a value that is a word": in_callback(best="low"),
    "a value that is true": in_callback(best=True),
    "unknown option": in_callback(path="/tmp"),
    "missing option": lambda config, tensors: config["callbacks"][0].pop("seen"),
    "the same callback twice": lambda config, tensors: config["callbacks"].append(config["callbacks"][0]),
    "weights that are not there": lambda config, tensors: tensors.pop("layer1.weight.best0"),
    "weights that nobody keeps": in_callback(keeps_weights=False),
    "history that is no JSON": in_history(b"{"),
    "history with a key twice": in_history(b'{"epochs":[],"epochs":[],"metrics":{}}'),
    "history with spaces": in_history(b'{"epochs": [],"metrics":{}}'),
    "history of something else": in_history(b"[]"),
    "epochs that go back": in_history(b'{"epochs":[2,1],"metrics":{}}'),
    "epochs of floats": in_history(b'{"epochs":[1.0],"metrics":{}}'),
    "a curve that is too short": in_history(b'{"epochs":[1,2],"metrics":{"loss":[0.5]}}'),
    "a curve of words": in_history(b'{"epochs":[1],"metrics":{"loss":["low"]}}'),
    "history of numbers": lambda config, tensors: tensors.update(history=np.zeros(3)),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_files_that_lie(lie, saved, tmp_path):
    config, tensors = copy.deepcopy(saved.config), dict(saved.tensors)
    LIES[lie](config, tensors)
    write_model(tmp_path / "lie", config, tensors)
    with pytest.raises(FileFormatError, match=r"lie: not a model of fastmlp: "):
        load(tmp_path / "lie")


def test_a_file_without_the_later_fields_loads(saved, tmp_path):
    """As files of a version that did not have them."""
    config, tensors = copy.deepcopy(saved.config), dict(saved.tensors)
    del config["callbacks"], tensors["history"]
    kept = {name: array for name, array in tensors.items() if not name.endswith(".best0")}
    write_model(tmp_path / "old", config, kept)
    model = load(tmp_path / "old")
    assert model.epochs == 3 and len(model.history) == 0 and not model.memories


def test_curves_that_are_not_finite_are_kept(tmp_path):
    model = new_model()
    fit(model, [], epochs=1)
    model.history.metrics["own"] = [np.inf]
    model.history.append(2, {"loss": -np.inf})
    model.save(tmp_path / "model")
    history = load(tmp_path / "model").history
    assert history["own"][0] == np.inf and np.isnan(history["own"][1]) and history["loss"][1] == -np.inf
