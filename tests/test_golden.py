"""R29: the model files of each release load, and give what they gave then. `python -m tests.golden.make` makes them."""

import json

import numpy as np
import pytest

from fastmlp import EarlyStopping, load

from .golden import make

pytestmark = pytest.mark.survives("R29")

VERSIONS = sorted(path.name for path in make.FOLDER.iterdir() if (path / "expected.json").exists())
FILES = [
    (version, name)
    for version in VERSIONS
    for name in json.loads((make.FOLDER / version / "expected.json").read_text())
]


def test_there_are_files():
    assert VERSIONS


@pytest.mark.parametrize(("version", "name"), FILES)
def test_r29_a_golden_file_loads(version, name):
    expected = json.loads((make.FOLDER / version / "expected.json").read_text())[name]
    model = load(make.FOLDER / version / f"{name}.safetensors")
    np.testing.assert_allclose(model.predict(make.X), expected["predictions"], rtol=1e-6, atol=1e-6)
    assert [type(layer).__name__ for layer in model.layers] == expected["layers"]
    assert type(model.optimizer).__name__ == expected["optimizer"]
    assert type(model.loss).__name__ == expected["loss"]
    assert model.epochs == expected["epochs"]
    assert model.history.without_times() == expected["history"]


@pytest.mark.parametrize("version", VERSIONS)
def test_r29_a_golden_file_goes_on(version):
    model = load(make.FOLDER / version / "classifier.safetensors")
    stopping = EarlyStopping("loss", patience=5, restore_best_weights=True)
    assert model.memories.keys() == {stopping.watched}
    assert (model.class_names, model.feature_names) == (("a", "b", "c"), ("one", "two", "three"))
    model.fit(make.X, make.CLASSES, epochs=4, initial_epoch=3, callbacks=[stopping], verbose=0)
    assert model.history.epochs == [1, 2, 3, 4]
