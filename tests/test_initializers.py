"""Initialisers: their moments and ranges, their bits, options, files."""

import hashlib

import numpy as np
import pytest

from fastmlp import Dense, Sequential, load
from fastmlp.initializers import (
    INITIALIZERS,
    Constant,
    FromArray,
    Normal,
    Orthogonal,
    TruncatedNormal,
    Uniform,
    VarianceScaling,
    initial_biases,
    initial_weights,
    initializer_from_config,
)

FAN_IN, FAN_OUT = 300, 200
VARIANCES = {
    "glorot_uniform": 2 / 500,
    "glorot_normal": 2 / 500,
    "he_uniform": 2 / 300,
    "he_normal": 2 / 300,
    "lecun_uniform": 1 / 300,
    "lecun_normal": 1 / 300,
    "xavier_fan_in": 2 / 301,
    "normal": 0.05**2,
    "truncated_normal": 0.7737 * 0.05**2,
    "uniform": 0.1**2 / 12,
    "orthogonal": 1 / 300,
    "zeros": 0,
    "ones": 0,
}
# SHA-256 of the weights of a layer of 30 inputs and 20 units, as little-endian float64, all names in order.
DIGEST = "0c41bbd303737fea8d5cdcfc9773d20d176b72db065bcabb9be8021ade72e406"
ARRAY = np.arange(12.0).reshape(4, 3)


def draw(given, fan_in=FAN_IN, fan_out=FAN_OUT, seed=1):
    return initial_weights(given, fan_in, fan_out, seed, 0)


def test_every_name_is_tested():
    assert VARIANCES.keys() == INITIALIZERS.keys()


@pytest.mark.parametrize("name", INITIALIZERS)
def test_moments(name):
    weights = draw(name)
    assert weights.shape == (FAN_IN, FAN_OUT)
    assert weights.dtype == np.float64
    # Four standard errors of the mean and, generously for all distributions, of the variance.
    count, variance = weights.size, VARIANCES[name]
    assert abs(weights.mean() - (name == "ones")) <= 4 * np.sqrt(variance / count)
    assert abs(weights.var() - variance) <= 4 * variance * np.sqrt(2 / count)


@pytest.mark.parametrize("name", ["glorot", "he", "lecun"])
def test_uniform_and_normal(name):
    uniform, normal = draw(f"{name}_uniform"), draw(f"{name}_normal")
    limit = np.sqrt(3 * VARIANCES[f"{name}_uniform"])
    assert 0.999 * limit < np.abs(uniform).max() <= limit
    within = [(np.abs(normal) < k * normal.std()).mean() for k in (1, 2, 3)]
    assert within == pytest.approx([0.6827, 0.9545, 0.9973], abs=0.008)


def test_normal_quantiles_are_those_of_scipy():
    scipy = pytest.importorskip("scipy.stats")
    weights = draw(Normal(stddev=2.0, mean=1.0))
    assert scipy.kstest(weights.ravel(), "norm", (1.0, 2.0)).pvalue > 0.01
    truncated = draw(TruncatedNormal(stddev=2.0, mean=1.0))
    assert scipy.kstest(truncated.ravel(), "truncnorm", (-2, 2, 1.0, 2.0)).pvalue > 0.01
    assert np.abs(truncated - 1.0).max() <= 4.0


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (50, 50), (80, 30), (30, 80), (200, 200)])
def test_orthogonal(rows, columns):
    weights = draw(Orthogonal(gain=2.0), rows, columns)
    product = weights.T @ weights if rows >= columns else weights @ weights.T
    np.testing.assert_allclose(product, 4 * np.eye(min(rows, columns)), atol=1e-13)
    normal = draw(Normal(stddev=1.0), rows, columns)
    normal = normal if rows >= columns else normal.T
    q, r = np.linalg.qr(normal)
    q = 2 * q * np.sign(np.diag(r))
    np.testing.assert_allclose(weights if rows >= columns else weights.T, q, atol=1e-10)


def test_the_same_bits_everywhere():
    """Whoever changes them on purpose says so in the change log."""
    sha = hashlib.sha256()
    for name in sorted(INITIALIZERS):
        sha.update(draw(name, 30, 20).astype("<f8").tobytes())
    assert sha.hexdigest() == DIGEST


def test_keys():
    """Weights of another seed, of another layer, and biases are others; the same key gives the same."""
    first = initial_weights("normal", 4, 5, 1, 0)
    assert np.array_equal(first, initial_weights("normal", 4, 5, 1, 0))
    others = [initial_weights("normal", 4, 5, 2, 0), initial_weights("normal", 4, 5, 1, 1)]
    others.append(np.tile(initial_biases("normal", 4, 5, 1, 0), (4, 1)))
    assert all((first != other).all() for other in others)


def test_of_a_layer():
    layer = Dense(3, initializer=FromArray(ARRAY), bias_initializer=Constant(0.5)).build(4)
    np.testing.assert_array_equal(layer.weight, ARRAY)
    np.testing.assert_array_equal(layer.bias, [0.5] * 3)
    layer = Dense(3, bias_initializer=FromArray([1, 2, 3])).build(4)
    np.testing.assert_array_equal(layer.bias, [1, 2, 3])
    assert not np.array_equal(Dense(3).build(4).weight, Dense(3, initializer=Uniform(-1, 1)).build(4).weight)


GIVEN = [
    "he_normal", VarianceScaling(1.5, "fan_out", "uniform"), Normal(0.1), TruncatedNormal(0.1, 0.2), Uniform(-1, 2),
    Orthogonal(1.4), Constant(0.25),
]  # fmt: skip


@pytest.mark.parametrize("given", GIVEN, ids=str)
def test_files(given, tmp_path):
    model = Sequential([Dense(3, "relu", initializer=given, bias_initializer="normal")]).build(4)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.layers[0].initializer == given
    assert repr(loaded.layers) == repr(model.layers)
    np.testing.assert_array_equal(loaded.layers[0].weight, model.layers[0].weight)
    np.testing.assert_array_equal(loaded.layers[0].bias, model.layers[0].bias)


def test_a_file_keeps_the_weights_that_came_from_an_array(tmp_path):
    model = Sequential([Dense(3, initializer=FromArray(ARRAY))]).build(4)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").layers[0].weight, ARRAY)


@pytest.mark.parametrize(
    "config",
    [
        {"kind": "function"},
        {"kind": "normal", "module": "os"},
        {"kind": "normal", "stddev": "x"},
        {"kind": ["normal"]},
        {},
    ],
)
def test_configurations_that_lie(config):
    with pytest.raises(ValueError, match=r"expected one of|expected options among|stddev: expected"):
        initializer_from_config(config)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Normal(stddev=0), "Normal: stddev: expected a number above 0, got 0"),
        (lambda: Normal(mean=np.nan), "Normal: mean: expected a"),
        (lambda: TruncatedNormal(stddev=-1), "TruncatedNormal: stddev: expected .*, got -1"),
        (lambda: Uniform(1, 1), "Uniform: low: expected a number below high=1.0, got 1.0"),
        (lambda: VarianceScaling(fan="in"), "VarianceScaling: fan: expected one of fan_avg, "),
        (
            lambda: VarianceScaling(distribution="even"),
            "VarianceScaling: distribution: expected one of .*, got 'even'",
        ),
        (lambda: Orthogonal(gain=True), "Orthogonal: gain: expected a"),
        (lambda: Constant("x"), "Constant: value: expected .*, got 'x'"),
        (lambda: FromArray("x"), "FromArray: expected numbers, got 'x'"),
        (lambda: FromArray([np.inf]), "FromArray: expected finite numbers"),
        (lambda: Dense(3, initializer=0.5), "initializer: expected one of glorot_normal"),
        (lambda: Dense(3, bias_initializer="auto"), "initializer: expected one of .*, got 'auto'"),
        (
            lambda: Dense(3, initializer=FromArray(ARRAY)).build(5),
            r"FromArray: expected an array of shape \(5, 3\), got \(4, 3\)",
        ),
        (
            lambda: Dense(3, bias_initializer=FromArray([1, 2])).build(5),
            r"FromArray: expected an array of shape \(3,\), got \(2,\)",
        ),
    ],
)
def test_bad_initializers(make, message):
    with pytest.raises(ValueError, match=message):
        make()
