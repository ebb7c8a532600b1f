"""A model knows what its samples were: bytes, fractions or other numbers."""

from contextlib import nullcontext

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from fastmlp import Dense, Flatten, Sequential, load

PIXELS = np.random.default_rng(1).integers(0, 256, (300, 2, 2)).astype(np.uint8)
CLASSES = PIXELS[:, 0, 0] // 86
IMAGES = {
    "bytes": PIXELS,
    "fractions": (PIXELS / 255).astype(np.float32),
    "numbers": PIXELS.astype(np.float32),
}
ROWS = {name: images.reshape(300, 4) for name, images in IMAGES.items()}
OF_IMAGES = {
    ("numbers", "bytes"): r"X: the model was trained on numbers beyond 0 to 1, .*; .* X\.astype\('float32'\)",
    (
        "bytes",
        "numbers",
    ): r"X: the model was trained on images of bytes .*; .* X\.astype\('uint8'\), or X / 255",
}
OF_ROWS = {("fractions", "bytes"): "X: the model was trained on numbers from 0 to 1, .*; .* give X / 255"}
CASES = {
    "images": (np.asarray, IMAGES, OF_IMAGES),
    "rows": (np.asarray, ROWS, OF_ROWS),
    "sparse rows": (csr_matrix, ROWS, OF_ROWS),
}


@pytest.mark.parametrize("given", IMAGES)
@pytest.mark.parametrize("trained", IMAGES)
@pytest.mark.parametrize("case", CASES)
def test_samples_of_another_scale_than_those_of_the_training(tmp_path, case, trained, given):
    container, same, warnings = CASES[case]
    model = Sequential([Flatten(), Dense(3, "softmax")])
    model.fit(container(same[trained]), CLASSES, epochs=1, verbose=0)
    scale = "numbers" if trained == "bytes" and case != "images" else trained
    assert model.sample_scale == scale
    model.save(tmp_path / "model")
    for one in (model, load(tmp_path / "model")):
        uses = (
            lambda X, one=one: one.predict(X),
            lambda X, one=one: one.evaluate(X, CLASSES),
            lambda X, one=one: one.fit(X, CLASSES, epochs=1, verbose=0),
        )
        for use in uses:
            message = warnings.get((trained, given))
            with pytest.warns(UserWarning, match=message) if message else nullcontext():
                use(container(same[given]))
        assert one.sample_scale == scale


def test_a_model_that_nobody_trained_knows_no_scale():
    model = Sequential([Flatten(), Dense(3, "softmax")]).build((2, 2))
    model.predict(IMAGES["numbers"])
    model.predict(IMAGES["bytes"])
    assert model.sample_scale == ""
