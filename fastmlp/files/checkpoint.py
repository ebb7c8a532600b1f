"""A model to and from its file, or the bytes of one: trained further, it gives the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from ..checks import COUNT, checked, refusal
from ..errors import FileFormatError
from ..optimizers import Optimizer
from ..schedules import plateau_from_config
from .contents import Model, Tensors, arrays_of, describe, fill_arrays, texts_of, unbuilt_model
from .model_file import model_from_bytes, model_to_bytes, read_model, write_model

# Errors of contents that no model can be made of.
_UNSUITABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
_ENSEMBLE = {"members", "diverged"}  # the fields of an ensemble's file

_BYTES = "_bytes"  # of the model file, in the state of a copy
# What the bytes hold of a model's attributes.
_IN_BYTES = ("layers", "history", "memories")


def save_model(kind: type[Model], model: Model, path: str | PathLike[str]) -> None:
    """Write a model to one file, as `Sequential.save` describes it; `kind` is the class that `load_model` makes.

    Raises
    ------
    ValueError
        If the model has an attribute that no file can hold, or that `load_model` would refuse.
    """
    write_model(path, *_contents(kind, model, model.optimizer))


def _contents(kind: type[Model], model: Model, optimizer: Optimizer) -> tuple[dict[str, Any], Tensors]:
    """Description and arrays, checked as they are when they are loaded."""
    config, tensors = describe(model, optimizer), arrays_of(model) | texts_of(model)
    unbuilt_model(kind, config, tensors)
    return config, tensors


def load_model(kind: type[Model], path: str | PathLike[str]) -> Model:
    """A model of this class from a file that `save_model` wrote.

    Raises
    ------
    FileFormatError
        If the file is damaged, or is no model of fastmlp.
    """
    config, tensors = read_model(path)
    if config.keys() == _ENSEMBLE:
        raise FileFormatError(
            f"{path}: expected one model, got an ensemble; read it with fastmlp.Ensemble.load"
        )
    try:
        return _restore(kind, config, tensors)
    except _UNSUITABLE as error:
        raise FileFormatError(f"{path}: not a model of fastmlp: {error}") from error


def save_members(
    kind: type[Model], members: Sequence[Model], diverged: Sequence[int], path: str | PathLike[str]
) -> None:
    """Write the models of an ensemble to one file: each member is a tensor with the bytes of its own model file.

    Raises
    ------
    ValueError
        If a model has an attribute that no file can hold, or that `load_members` would refuse.
    """
    files = {
        _member(place): np.frombuffer(model_to_bytes(*_contents(kind, model, model.optimizer)), np.uint8)
        for place, model in enumerate(members)
    }
    write_model(path, {"members": len(members), "diverged": list(diverged)}, files)


def load_members(kind: type[Model], path: str | PathLike[str]) -> tuple[list[Model], tuple[int, ...]]:
    """The models that `save_members` wrote, and the numbers of those that diverged.

    Raises
    ------
    FileFormatError
        If the file is damaged, or is no ensemble of fastmlp.
    """
    read = read_model(path)
    config: dict[str, Any] = read.config
    tensors = read.tensors
    if config.keys() != _ENSEMBLE:
        what = "one model; read it with fastmlp.load" if "layers" in config else f"fields {sorted(config)}"
        raise FileFormatError(f"{path}: expected an ensemble, got {what}")
    try:
        count = checked("", "members", config["members"], COUNT)
        diverged = config["diverged"]
        if not isinstance(diverged, list) or any(type(place) is not int for place in diverged):
            raise refusal("diverged", "a list of whole numbers", diverged)
        if sorted(set(diverged)) != diverged or not set(diverged) < set(range(count)):
            raise refusal("diverged", f"some of the numbers below {count} in ascending order", diverged)
        if len(tensors) != count or any(_member(place) not in tensors for place in range(count)):
            raise refusal("tensors", f"one for each of {count} members", list(tensors))
        members = [_restore_member(kind, tensors[_member(place)]) for place in range(count)]
    except _UNSUITABLE as error:
        raise FileFormatError(f"{path}: not an ensemble of fastmlp: {error}") from error
    return members, tuple(diverged)


def _member(place: int) -> str:
    return f"member{place}"


def _restore_member(kind: type[Model], content: np.ndarray) -> Model:
    if content.dtype != np.uint8 or content.ndim != 1:
        raise refusal("member", "the bytes of a model file", f"{content.dtype} of shape {content.shape}")
    return _restore(kind, *model_from_bytes(content.tobytes()))


def copied_state(kind: type[Model], model: Model) -> dict[str, Any]:
    """What a copy or a pickle of a model is made from: its attributes, and in place of the network a file's bytes.

    The optimizer is copied as an attribute, since its learning rate may be a function, which no file can hold.
    """
    state = model.__dict__.copy()
    if state.pop("_network") is not None:
        with model.network.lock:
            contents = _contents(kind, model, replace(model.optimizer, learning_rate=1.0))
            state[_BYTES] = model_to_bytes(*contents, allow_nonfinite=True)
        for name in _IN_BYTES:
            del state[name]
    return state


def restore_copy(model: Model, state: dict[str, Any], kind: type[Model]) -> None:
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


def _restore(kind: type[Model], config: dict[str, Any], tensors: Tensors) -> Model:
    model = unbuilt_model(kind, config, tensors)
    model.build(tuple(config["input_shape"]))
    network = model.network
    if config["state_of"]:
        network.prepare_slots(model.optimizer)
    network.steps = list(config["steps"])
    network.epochs = config["epochs"]
    network.draws = config["draws"]
    network.keep_averages(config["averages"])
    network.plateau = plateau_from_config(config["plateau"])
    for watched, memory in model.memories.items():
        if watched.keeps_weights and memory.best is not None:
            model.memories[watched] = memory._replace(weights=np.zeros_like(network.params))
    fill_arrays(model, tensors)
    return model
