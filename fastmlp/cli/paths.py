"""What a path on the command line is, known from its first bytes."""

from pathlib import Path

MODEL_NAME = "model.safetensors"  # in the folder of a run


def is_table(name: str) -> bool:
    """Whether `--data` names a file."""
    return Path(name).is_file()


def is_npz(path: str) -> bool:
    """Whether a file starts as an archive does."""
    with Path(path).open("rb") as file:
        return file.read(4) == b"PK\3\4"
