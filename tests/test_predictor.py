"""Single samples: the bits of `predict`, whatever the form of the sample."""

import pickle

import joblib
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


def through_a_file(image, folder):
    joblib.dump(image, folder / "image")
    return joblib.load(folder / "image")


SAME_NUMBERS = {
    "unpickled": lambda image, folder: pickle.loads(pickle.dumps(image)),  # noqa: S301  # our own bytes
    "joblib": through_a_file,
    "big-endian": lambda image, folder: image.astype(image.dtype.newbyteorder(">")),
    "another byte order": lambda image, folder: image.byteswap().view(image.dtype.newbyteorder("S")),
    "metadata": lambda image, folder: image.astype(np.dtype(image.dtype, metadata={"unit": "grey"})),
    "part of an unpickled array": lambda image, folder: pickle.loads(pickle.dumps(np.stack([image] * 2)))[1],  # noqa: S301
    "not contiguous": lambda image, folder: np.repeat(image, 2, axis=1)[:, ::2],
    "Fortran order": lambda image, folder: np.asfortranarray(image),
    "a subclass": lambda image, folder: np.ma.array(image),
    "a memory map": lambda image, folder: mapped(image, folder / "image"),
}


def mapped(image, path):
    image.tofile(path)
    return np.memmap(path, image.dtype, "r", shape=image.shape)


@pytest.mark.parametrize("form", SAME_NUMBERS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float16, np.float32, np.float64, np.int64, bool])
def test_the_same_numbers_in_another_form(model, dtype, form, tmp_path):
    image = fastmlp.synthetic_digits(1)[0][0].astype(dtype)
    changed = SAME_NUMBERS[form](image, tmp_path)
    assert np.array_equal(changed, image)
    assert np.array_equal(model.predictor()(changed), model.predict(image[None])[0])
    assert np.array_equal(model.predict(changed[None])[0], model.predict(image[None])[0])


def test_integers_are_rounded_as_in_predict():
    """To float64 first; to float32 at once, this number would become the next larger one."""
    model = fastmlp.Sequential([fastmlp.Dense(1, initializer=fastmlp.initializers.Constant(1.0))]).build(1)
    x = np.array([2**60 + 2**36 + 1])
    assert np.array_equal(model.predictor()(x), model.predict(x[None])[0])


NO_NUMBERS = {
    "None": [None] * 6,
    "masked": np.ma.array(np.ones(6), mask=[0, 0, 1, 0, 0, 0]),
    "dates": np.zeros(6, "datetime64[D]"),
    "words": ["1", "2", "3", "4", "5", "6"],
    "words in an array": np.array(["1"] * 6),
    "complex": np.ones(6, complex),
    "objects": np.array([1, 2, 3, 4, 5, 6], object),
    "records": np.zeros(6, [("a", "f4")]),
}


@pytest.mark.parametrize("x", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_predict_refuses(x):
    model = fastmlp.Sequential([fastmlp.Dense(2)]).build(6)
    with pytest.raises(ValueError, match=r"^X: ") as expected:
        model.predict(x)
    with pytest.raises(ValueError, match=r"^x: ") as refused:
        model.predictor()(x)
    assert str(refused.value).lower() == str(expected.value).lower()


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
