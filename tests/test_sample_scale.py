"""A model knows what its samples were: bytes, fractions or other numbers."""

from contextlib import nullcontext

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from fastmlp import load
from tests.six_samples import classifier

PIXELS = np.random.default_rng(1).integers(0, 256, (300, 4)).astype(np.uint8)
CLASSES = PIXELS[:, 0] // 86
SAME = {"bytes": PIXELS, "fractions": (PIXELS / 255).astype(np.float32), "numbers": PIXELS.astype(np.float32)}
WARNING = {
    ("numbers", "bytes"): r"X: the model was trained on numbers beyond 0 to 1, .*; .* X\.astype\('float32'\)",
    ("bytes", "numbers"): r"X: the model was trained on bytes .*; .* X\.astype\('uint8'\), or X / 255",
}


@pytest.mark.parametrize("given", SAME)
@pytest.mark.parametrize("trained", SAME)
@pytest.mark.parametrize("container", [np.asarray, csr_matrix], ids=["dense", "sparse"])
def test_samples_of_another_scale_than_those_of_the_training(tmp_path, container, trained, given):
    model = classifier()
    model.fit(container(SAME[trained]), CLASSES, epochs=1, verbose=0)
    assert model.sample_scale == trained
    model.save(tmp_path / "model")
    for one in (model, load(tmp_path / "model")):
        uses = (
            lambda X, one=one: one.predict(X),
            lambda X, one=one: one.evaluate(X, CLASSES),
            lambda X, one=one: one.fit(X, CLASSES, epochs=1, verbose=0),
        )
        for use in uses:
            message = WARNING.get((trained, given))
            with pytest.warns(UserWarning, match=message) if message else nullcontext():
                use(container(SAME[given]))
        assert one.sample_scale == trained


def test_a_model_that_nobody_trained_knows_no_scale():
    model = classifier().build(4)
    model.predict(SAME["numbers"])
    model.predict(SAME["bytes"])
    assert model.sample_scale == ""
