"""Single samples: the bits of `predict`, whatever the form of the sample."""

import numpy as np
import pytest

import fastmlp


@pytest.fixture(scope="module")
def model():
    layers = [
        fastmlp.Flatten(),
        fastmlp.Dense(33, "tanh"),
        fastmlp.Dropout(0.5),
        fastmlp.Dense(10, "softmax"),
    ]
    return fastmlp.Sequential(layers).build((28, 28))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64])
def test_the_bits_of_predict(model, dtype):
    images, _ = fastmlp.synthetic_digits(20)
    images = images.astype(dtype)
    predict = model.predictor()
    assert np.array_equal([predict(image) for image in images], model.predict(images))


def test_each_result_is_its_own(model):
    images, _ = fastmlp.synthetic_digits(2)
    predict = model.predictor()
    first = predict(images[0])
    kept = first.copy()
    predict(images[1])
    assert np.array_equal(first, kept)


def test_it_follows_the_weights():
    images, labels = fastmlp.synthetic_digits(100)
    model = fastmlp.Sequential([fastmlp.Flatten(), fastmlp.Dense(10, "softmax")]).build((28, 28))
    predict = model.predictor()
    before = predict(images[0])
    model.fit(images, labels, epochs=1, verbose=0)
    assert not np.array_equal(predict(images[0]), before)
    assert np.array_equal(predict(images[0]), model.predict(images[:1])[0])


def test_float64():
    model = fastmlp.Sequential([fastmlp.Dense(5, "relu"), fastmlp.Dense(2)], dtype="float64").build(3)
    x = np.array([[0.1, -0.2, 0.3]])
    assert np.array_equal(model.predictor()(x[0]), model.predict(x)[0])


def test_lists(model):
    image = fastmlp.synthetic_digits(1)[0][0]
    assert np.array_equal(model.predictor()(image.astype(float).tolist()), model.predict(image.astype(float)))


def test_another_shape_is_refused(model):
    with pytest.raises(ValueError, match=r"expected one sample of shape \(28, 28\), got \(1, 28, 28\)"):
        model.predictor()(np.zeros((1, 28, 28)))
