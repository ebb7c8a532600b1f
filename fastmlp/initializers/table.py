"""Initializers by name, and from a model file."""

from __future__ import annotations

from typing import Any

from ..checks import kind_and_options, look_up, require_kind
from .distributions import Normal, TruncatedNormal, Uniform, VarianceScaling
from .given import Constant, FromArray
from .initializer import Initializer
from .orthogonal import Orthogonal

# The initializer of each name.
INITIALIZERS: dict[str, Initializer] = {
    "glorot_uniform": VarianceScaling(1.0, "fan_avg", "uniform"),
    "glorot_normal": VarianceScaling(1.0, "fan_avg", "normal"),
    "he_uniform": VarianceScaling(2.0, "fan_in", "uniform"),
    "he_normal": VarianceScaling(2.0, "fan_in", "normal"),
    "lecun_uniform": VarianceScaling(1.0, "fan_in", "uniform"),
    "lecun_normal": VarianceScaling(1.0, "fan_in", "normal"),
    "xavier_fan_in": VarianceScaling(2.0, "fan_in_plus_one", "normal"),
    "normal": Normal(),
    "truncated_normal": TruncatedNormal(),
    "uniform": Uniform(),
    "orthogonal": Orthogonal(),
    "zeros": Constant(0.0),
    "ones": Constant(1.0),
}
_KINDS: dict[str, type[Initializer]] = {
    initializer.kind: initializer
    for initializer in (VarianceScaling, Normal, TruncatedNormal, Uniform, Orthogonal, Constant)
}

Given = str | Initializer


def get_initializer(given: Given) -> Initializer:
    """An initializer, or the one of this name.

    `glorot_*`: variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010). `he_*`: 2 / fan_in (He et al., 2015), for
    ReLU. `lecun_*`: 1 / fan_in (LeCun et al., 1998). Each `uniform` or `normal`. `xavier_fan_in`: normal with variance
    2 / (fan_in + 1). `normal`, `truncated_normal`, `uniform`, `orthogonal`, `zeros`, `ones`.

    Raises
    ------
    ValueError
        If the name is not known.
    TypeError
        If it is an initializer of a class that is derived from one of fastmlp's.
    """
    if isinstance(given, Initializer):
        require_kind(
            "initializer", given, {*_KINDS.values(), FromArray}, "give your own numbers as FromArray(values)"
        )
        return given
    return look_up("initializer", given, INITIALIZERS)


def initializer_from_config(config: Any) -> Given:
    """The initializer that `Initializer.config` described, or a name; `zeros` for an array, which is not kept.

    Raises
    ------
    ValueError
        If a kind or an option is not known.
    """
    if not isinstance(config, dict):
        return config
    if config == {"kind": FromArray.kind}:
        return "zeros"
    kind, options = kind_and_options("initializer", config, _KINDS)
    return kind(**options)
