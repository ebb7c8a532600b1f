"""A model to and from its file, or the bytes of one: what is kept of it, and how it comes back with the same bits."""

from __future__ import annotations

import json
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import is_count
from ..errors import FileFormatError
from ..inputs.samples import SCALES
from ..kernels import tables
from ..layers import layer_from_config
from ..layers.layer import Shape
from ..losses import loss_from_config
from ..optimizers import Optimizer, optimizer_from_config
from ..schedules import NO_PLATEAU, plateau_from_config
from .model_file import model_from_bytes, model_to_bytes, read_model, write_model

if TYPE_CHECKING:
    from ..model import Sequential

Tensors = dict[str, np.ndarray]

_FIELDS = {
    "layers", "input_shape", "loss", "optimizer", "seed", "dtype", "epochs", "draws", "steps", "state_of", "averages",
    "plateau", "sample_scale",
}  # fmt: skip

_BYTES = "_bytes"  # of the model file, in the state of a copy
_NAMES, _NAMED = "names", ("feature_names", "class_names")


def save_model(model: Sequential, path: str | PathLike[str]) -> None:
    """Write a model to one file, as `Sequential.save` describes it."""
    write_model(path, _config(model, model.optimizer), _tensors(model) | _names(model))


def _config(model: Sequential, optimizer: Optimizer) -> dict[str, Any]:
    """All of a model but its arrays, and names, of which there may be too many."""
    network, state_of = model.network, _state_of(model)
    return {
        "layers": [layer.config() for layer in model.layers],
        "input_shape": list(network.input_shape),
        "loss": model._loss if isinstance(model._loss, str) else model._loss.config(),
        "optimizer": optimizer.config(),
        "seed": model.seed,
        "dtype": model.dtype,
        "epochs": model.epochs,
        "draws": network.draws,
        "steps": network.steps if state_of else [0] * len(model.layers),
        "state_of": state_of,
        "averages": _has_averages(model),
        "plateau": list(network.plateau if state_of else NO_PLATEAU),
        "sample_scale": model.sample_scale,
    }


def load_model(kind: type[Sequential], path: str | PathLike[str]) -> Sequential:
    """A model of this class from a file that `save_model` wrote.

    Raises
    ------
    FileFormatError
        If the file is damaged, or is no model of fastmlp.
    """
    config, tensors = read_model(path)
    try:
        return _restore(kind, config, tensors)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise FileFormatError(f"{path}: not a model of fastmlp: {error}") from error


def copied_state(model: Sequential) -> dict[str, Any]:
    """What a copy or a pickle of a model is made from: its attributes, and in place of the network a file's bytes.

    The optimizer stays as it is, since its learning rate may be a function, which the bytes could not hold.
    """
    state = model.__dict__.copy()
    if state.pop("_network") is not None:
        del state["layers"]
        with model.network.lock:
            config = _config(model, replace(model.optimizer, learning_rate=1.0))
            tensors = _tensors(model) | _names(model)
            state[_BYTES] = model_to_bytes(config, tensors, allow_nonfinite=True)
    return state


def restore_copy(model: Sequential, state: dict[str, Any], kind: type[Sequential]) -> None:
    """Fill a new model with what `copied_state` gave; `kind` makes those that files describe.

    Raises
    ------
    FileFormatError
        If the bytes are damaged.
    """
    attributes = {name: value for name, value in state.items() if name != _BYTES}
    network: dict[str, Any] = {"_network": None}
    if _BYTES in state:
        network = _restore(kind, *model_from_bytes(state[_BYTES], allow_nonfinite=True)).__dict__
    model.__dict__.update(network | attributes)


def _state_of(model: Sequential) -> str:
    """Name of the optimizer if there is state of it: that of another one would be of no use, as it is for averages."""
    network, name = model.network, model.optimizer.name
    return name if network.slots_of == name and not network.shows_averages else ""


def _has_averages(model: Sequential) -> bool:
    return model.network.averages.size > 0 and not model.network.shows_averages


def _tensors(model: Sequential) -> Tensors:
    """All arrays of a model by name: views."""
    network = model.network
    tensors: Tensors = {}
    arenas = {"": network.params}
    if _state_of(model):
        names = tables.OPTIMIZERS[model.optimizer.code].slots
        arenas |= {f".{name}": arena for name, arena in zip(names, network.slot_arenas(), strict=True)}
    if _has_averages(model):
        arenas[".average"] = network.averages
    for number, layer in enumerate(model.layers):
        tensors |= {f"layer{number}.{name}": array for name, array in layer.constants.items()}
        if layer.parameters:
            for suffix, arena in arenas.items():
                trained = layer.trained_in(arena)
                tensors |= {f"layer{number}.{name}{suffix}": array for name, array in trained.items()}
    return tensors


def _names(model: Sequential) -> Tensors:
    """What features and classes are called, as the bytes of a JSON text: the header has no room for thousands."""
    named = {key: list(getattr(model, key)) for key in _NAMED if getattr(model, key)}
    return {_NAMES: np.frombuffer(json.dumps(named).encode(), np.uint8)} if named else {}


def _restore_names(model: Sequential, stored: np.ndarray) -> None:
    named = json.loads(stored.tobytes())
    if not isinstance(named, dict) or not named or not named.keys() <= set(_NAMED):
        raise ValueError(f"{_NAMES}: expected some of {', '.join(_NAMED)}")
    for key, names in named.items():
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise ValueError(f"{_NAMES}: expected a list of texts as {key}")
        setattr(model, key, tuple(names))


def _restore(kind: type[Sequential], config: dict[str, Any], tensors: Tensors) -> Sequential:
    if config.keys() != _FIELDS:
        raise ValueError(f"expected the fields {sorted(_FIELDS)}, got {sorted(config)}")
    model = kind(
        [layer_from_config(layer) for layer in config["layers"]],
        loss=loss_from_config(config["loss"]),
        optimizer=optimizer_from_config(config["optimizer"]),
        seed=config["seed"],
        dtype=config["dtype"],
    )
    tensors = dict(tensors)
    if _NAMES in tensors:
        _restore_names(model, tensors.pop(_NAMES))
    shape = tuple(config["input_shape"])
    _check_sizes(model, shape, tensors)
    model.build(shape)
    _restore_progress(model, config)
    _restore_tensors(model, tensors)
    return model


def _check_sizes(model: Sequential, shape: Shape, tensors: Tensors) -> None:
    """Compare what the layers want with what is there, before anything is allocated."""
    for number, layer in enumerate(model.layers):
        inputs, shape = shape, layer.output_shape(shape)
        for array, wanted in layer.array_shapes(inputs).items():
            name = f"layer{number}.{array}"
            if name not in tensors or tensors[name].shape != wanted:
                raise ValueError(
                    f"{name}: expected shape {wanted}, got {getattr(tensors.get(name), 'shape', None)}"
                )


def _restore_progress(model: Sequential, config: dict[str, Any]) -> None:
    """How far training has come, and room for the state that the optimizer had."""
    steps, state_of = config["steps"], config["state_of"]
    if state_of == model.optimizer.name:
        model.network.prepare_slots(model.optimizer)
    elif state_of != "":
        raise ValueError(f"the state is of {state_of!r}, the optimizer is {model.optimizer.name!r}")
    if len(steps) != len(model.layers) or not all(is_count(n) for n in steps):
        raise ValueError(f"expected a number of steps for each of {len(model.layers)} layers, got {steps!r}")
    for field in ("epochs", "draws"):
        if not is_count(config[field]):
            raise ValueError(f"expected a number of {field}, got {config[field]!r}")
    model.network.steps, model.network.epochs = list(steps), config["epochs"]
    model.network.draws = config["draws"]
    if not isinstance(config["averages"], bool):
        raise ValueError(f"expected whether there are averages, got {config['averages']!r}")
    model.network.keep_averages(config["averages"])
    model.network.plateau = plateau_from_config(config["plateau"])
    if config["sample_scale"] not in ("", *SCALES):
        raise ValueError(f"expected the scale of the samples, got {config['sample_scale']!r}")
    model.sample_scale = config["sample_scale"]


def _restore_tensors(model: Sequential, tensors: Tensors) -> None:
    expected = _tensors(model)
    if expected.keys() != tensors.keys():
        raise ValueError(f"expected the tensors {sorted(expected)}, got {sorted(tensors)}")
    for name, view in expected.items():
        given = tensors[name]
        if given.shape != view.shape or given.dtype != view.dtype:
            raise ValueError(
                f"{name}: expected {view.dtype} of shape {view.shape}, got {given.dtype} of shape {given.shape}"
            )
        view[...] = given
