"""A disk on which one operation of a save goes wrong, or all from one on."""

import io
import os
from collections.abc import Callable

import pytest

from fastmlp.files import atomic


class FaultyDisk:
    """Counts the operations of a save; calls `fault` at one of them and, if persistent, at all later ones."""

    def __init__(self, fault: Callable[[], None], at: int, persistent: bool = False):
        self.fault, self.at, self.persistent = fault, at, persistent
        self.steps: list[str] = []

    def step(self, name: str) -> None:
        self.steps.append(name)
        if len(self.steps) == self.at or (self.persistent and len(self.steps) > self.at):
            self.fault()

    def counted(self, name: str, function):
        def wrapper(*args, **kwargs):
            self.step(name)
            return function(*args, **kwargs)

        return wrapper

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        disk = self

        class FaultyFile(io.FileIO):
            def write(self, data):
                disk.step("write")
                # An operating system may write less than it was given.
                return super().write(bytes(data)[:100])

        def faulty_open(path, mode, opener):
            return io.BufferedWriter(FaultyFile(path, mode.replace("b", ""), opener=opener), buffer_size=64)

        for name in ("open", "fchmod", "fsync", "replace"):
            monkeypatch.setattr(os, name, self.counted(name, getattr(os, name)))
        monkeypatch.setattr(atomic, "open", faulty_open, raising=False)
