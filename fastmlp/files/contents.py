"""What a model file holds: a description in JSON, arrays, and texts of any length; and the check of all three.

Saving and loading make the same check, so that no file is written that cannot be read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..callbacks.memory import memories_from_config, memories_to_config
from ..checks import COUNT_FROM_ZERO, Switch, checked, look_up, refusal, sample_shape
from ..inputs.samples import SCALES
from ..kernels import tables
from ..layers import layer_from_config
from ..layers.layer import Shape
from ..losses import loss_from_config
from ..optimizers import Optimizer, optimizer_from_config
from ..schedules import NO_PLATEAU, plateau_from_config, plateau_to_config
from .model_file.canonical_json import parse_json, to_json

Model = Any  # a `Sequential`, of which files import nothing
Tensors = dict[str, np.ndarray]

_FIELDS = {
    "layers", "input_shape", "loss", "optimizer", "seed", "dtype", "epochs", "draws", "steps", "state_of", "averages",
    "plateau", "sample_scale",
}  # fmt: skip
# Written only where there is something to keep: files without them are those of versions that did not have them. A new
# field belongs here.
_LATER_FIELDS = {"callbacks"}

_NAMES, _NAMED = "names", ("feature_names", "class_names")
_HISTORY = "history"


def describe(model: Model, optimizer: Optimizer) -> dict[str, Any]:
    """All of a model but its arrays and texts."""
    network = model.network
    state_of = state_of_optimizer(model)
    memories = {"callbacks": memories_to_config(model.memories)} if model.memories else {}
    return memories | {
        "layers": [layer.config() for layer in model.layers],
        "input_shape": list(network.input_shape),
        "loss": model._loss if isinstance(model._loss, str) else model._loss.config(),
        "optimizer": optimizer.config(),
        "seed": model.seed,
        "dtype": network.precision,
        "epochs": model.epochs,
        "draws": network.draws,
        "steps": network.steps if state_of else [0] * len(model.layers),
        "state_of": state_of,
        "averages": _has_averages(model),
        "plateau": plateau_to_config(network.plateau if state_of else NO_PLATEAU),
        "sample_scale": model.sample_scale,
    }


def state_of_optimizer(model: Model) -> str:
    """Name of the optimizer if its state is kept; "" for averages, and where the state is that of another one."""
    network, name = model.network, model.optimizer.name
    return name if network.slots_of == name and not network.shows_averages else ""


def _has_averages(model: Model) -> bool:
    return model.network.averages.size > 0 and not model.network.shows_averages


# Arrays


def arrays_of(model: Model) -> Tensors:
    """All arrays of a model by name: views."""
    network = model.network
    arenas = {"": network.params}
    if state_of_optimizer(model):
        names = tables.OPTIMIZERS[model.optimizer.code].slots
        arenas |= {f".{name}": arena for name, arena in zip(names, network.slot_arenas(), strict=True)}
    if _has_averages(model):
        arenas[".average"] = network.averages
    best = {
        f".best{number}": memory.weights
        for number, memory in enumerate(model.memories.values())
        if memory.weights is not None
    }
    tensors: Tensors = {}
    for position, layer in enumerate(model.layers):
        constants = {"": layer.constants} | {suffix: layer.constants_in(best[suffix]) for suffix in best}
        trained = {suffix: layer.trained_in(arena) for suffix, arena in (arenas | best).items()}
        for arrays in (constants, trained):
            for suffix, named in arrays.items():
                tensors |= {f"layer{position}.{name}{suffix}": array for name, array in named.items()}
    return tensors


def fill_arrays(model: Model, tensors: Tensors) -> None:
    """Write these arrays to those of a built model; a ValueError if they are not the same ones."""
    expected = arrays_of(model)
    given = {name: array for name, array in tensors.items() if name not in (_NAMES, _HISTORY)}
    if expected.keys() != given.keys():
        raise ValueError(f"expected the tensors {sorted(expected)}, got {sorted(given)}")
    for name, view in expected.items():
        if given[name].shape != view.shape or given[name].dtype != view.dtype:
            raise ValueError(
                f"{name}: expected {view.dtype} of shape {view.shape}, got {given[name].dtype} of shape "
                f"{given[name].shape}"
            )
        view[...] = given[name]


# Texts, as the bytes of JSON: the header has no room for thousands of names


def texts_of(model: Model) -> Tensors:
    """The names of features and classes, and the history, where there are any."""
    named = {key: list(getattr(model, key)) for key in _NAMED if len(getattr(model, key))}
    texts: dict[str, Any] = {_NAMES: named} if named else {}
    if len(model.history):
        texts[_HISTORY] = model.history.without_times()
    return {name: np.frombuffer(to_json(text).encode(), np.uint8) for name, text in texts.items()}


def _fill_texts(model: Model, tensors: Tensors) -> None:
    named = _parsed(tensors, _NAMES)
    if named is not None:
        if not isinstance(named, dict) or not named or not named.keys() <= set(_NAMED):
            raise refusal(_NAMES, f"some of {', '.join(_NAMED)}", named)
        for key, names in named.items():
            if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
                raise refusal(f"{_NAMES}: {key}", "a list of texts", names)
            setattr(model, key, tuple(names))
    history = _parsed(tensors, _HISTORY)
    if history is not None:
        model.history.restore(history)


def _parsed(tensors: Tensors, name: str) -> Any:
    """The JSON in a tensor of bytes; None if there is no such tensor."""
    if name not in tensors:
        return None
    stored = tensors[name]
    if stored.dtype != np.uint8 or stored.ndim != 1:
        raise ValueError(f"{name}: expected bytes, got {stored.dtype} of shape {stored.shape}")
    content = stored.tobytes()
    value = parse_json(content.decode())
    if to_json(value).encode() != content:
        raise ValueError(f"{name}: the JSON is not written as fastmlp writes it: damaged, or edited")
    return value


# The check


def unbuilt_model(kind: type[Model], config: dict[str, Any], tensors: Tensors) -> Model:
    """A model of this class as the description says, before it is built, and after all was checked.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError, OverflowError
        If no model can be made of it; nothing as large as its arrays has been allocated then.
    """
    _check_fields(config)
    model = kind(
        [layer_from_config(layer) for layer in config["layers"]],
        loss=loss_from_config(config["loss"]),
        optimizer=optimizer_from_config(config["optimizer"]),
        seed=config["seed"],
        dtype=config["dtype"],
    )
    _fill_texts(model, tensors)
    _check_progress(model, config)
    model.sample_scale = config["sample_scale"]
    if "callbacks" in config:
        model.memories = memories_from_config(config["callbacks"])
    if not isinstance(config["input_shape"], list):
        raise refusal("input_shape", "a list of sizes", config["input_shape"])
    shape = sample_shape(tuple(config["input_shape"]))
    spec = model.data_spec
    spec.check_class_names(model.class_names, spec.count_outputs(shape))
    _check_sizes(model, shape, tensors)
    return model


def _check_fields(config: dict[str, Any]) -> None:
    missing = sorted(_FIELDS - config.keys())
    unknown = sorted(config.keys() - _FIELDS - _LATER_FIELDS)
    if missing:
        raise ValueError(f"the field {missing[0]!r} is missing")
    if unknown:
        raise ValueError(f"the field {unknown[0]!r} is not known: written by a newer fastmlp, or damaged")


def _check_progress(model: Model, config: dict[str, Any]) -> None:
    """How far training has come."""
    steps = config["steps"]
    look_up("state_of", config["state_of"], dict.fromkeys(("", model.optimizer.name)))
    if not isinstance(steps, list) or len(steps) != len(model.layers):
        raise refusal("steps", f"one number for each of {len(model.layers)} layers", steps)
    for field, number in (
        ("epochs", config["epochs"]),
        ("draws", config["draws"]),
        *(("steps", n) for n in steps),
    ):
        checked("", field, number, COUNT_FROM_ZERO)
    checked("", "averages", config["averages"], Switch())
    plateau_from_config(config["plateau"])
    look_up("sample_scale", config["sample_scale"], dict.fromkeys(("", *SCALES)))


def _check_sizes(model: Model, shape: Shape, tensors: Tensors) -> None:
    """Compare what the layers need with what there is, before anything is allocated."""
    best = [
        f".best{number}" for number, (watched, memory) in enumerate(model.memories.items())
        if watched.keeps_weights and memory.best is not None
    ]  # fmt: skip
    for position, layer in enumerate(model.layers):
        inputs = shape
        shape = layer.output_shape(inputs)
        for array, wanted in layer.array_shapes(inputs).items():
            for suffix in ("", *best):
                name = f"layer{position}.{array}{suffix}"
                found = tensors[name].shape if name in tensors else None
                if found != wanted:
                    raise ValueError(f"{name}: expected shape {wanted}, got {found}")
