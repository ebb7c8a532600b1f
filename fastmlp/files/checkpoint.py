"""A model to and from its file, or the bytes of one: trained further, it gives the same bits."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from ..errors import FileFormatError
from ..optimizers import Optimizer
from ..schedules import plateau_from_config
from .contents import Model, Tensors, arrays_of, describe, fill_arrays, texts_of, unbuilt_model
from .model_file import model_from_bytes, model_to_bytes, read_model, write_model

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
    try:
        return _restore(kind, config, tensors)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise FileFormatError(f"{path}: not a model of fastmlp: {error}") from error


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
