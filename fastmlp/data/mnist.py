"""MNIST itself: from the cache, from a folder, or from the first mirror that delivers the right bytes."""

import gzip
import hashlib
import http.client
import io
import os
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FileFormatError
from ..files.atomic import atomic_write
from .dataset import DataSet
from .folder import FILE_NAMES, find_idx_files, first_existing
from .idx import idx_header, read_idx

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
# Of the decompressed files: mirrors compress them in different ways.
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
# Of the decompressed files, in bytes; nothing longer is decompressed.
SIZES = {
    "train-images-idx3-ubyte": 47_040_016,
    "train-labels-idx1-ubyte": 60_008,
    "t10k-images-idx3-ubyte": 7_840_016,
    "t10k-labels-idx1-ubyte": 10_008,
}
_GZIP_FRAME = 1024  # what compression may add at most to a file that it cannot make smaller
_SECONDS_OF_SILENCE = 10.0
_SECONDS_A_FILE = 600.0


def load_mnist(folder: str | os.PathLike[str] | None = None) -> DataSet:
    """Load the MNIST handwritten digits: 60,000 images for training, 10,000 for testing.

    Every file is checked against the SHA-256 of the original, so what is returned is MNIST to the bit.

    Parameters
    ----------
    folder : path, optional
        A folder with the four IDX files, plain or ``.gz``. Without it they come from the cache folder
        (``fastmlp/mnist`` in ``$XDG_CACHE_HOME`` or ``~/.cache``); what is missing or damaged there is
        downloaded, 11 MB in all.

    Returns
    -------
    DataSet
        Images of 28 x 28 pixels, ten classes.

    Raises
    ------
    FileNotFoundError
        `folder` lacks files.
    FileFormatError
        A file of `folder` is damaged, or is not the one of MNIST.
    ConnectionError
        No mirror delivered a file; the message gives the reason for each.

    See Also
    --------
    load_idx_folder : other data sets in the same format.
    load_synthetic : digits that need no download.
    """
    if folder is None:
        arrays = [_cached_or_downloaded(cache_folder(), name) for name in FILE_NAMES]
    else:
        paths = find_idx_files(Path(folder))
        arrays = [_read_genuine(path, name) for path, name in zip(paths, FILE_NAMES, strict=True)]
    x_train, y_train, x_test, y_test = arrays
    return DataSet(x_train, y_train, x_test, y_test, name="mnist")


def cache_folder() -> Path:
    """Return the folder in which downloaded files are kept."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "fastmlp" / "mnist"


def _read_genuine(path: Path, name: str) -> NDArray[Any]:
    """Read a file that must be, decompressed, the file of MNIST called `name`."""
    array = read_idx(path)
    digest = hashlib.sha256(idx_header(array))
    digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder(">")).data)
    if digest.hexdigest() != SHA256[name]:
        raise FileFormatError(
            f"{path}: not the MNIST file {name}: the SHA-256 of its contents is {digest.hexdigest()}, "
            f"expected {SHA256[name]}; read other data sets with load_idx_folder()"
        )
    return array


def _cached_or_downloaded(folder: Path, name: str) -> NDArray[Any]:
    """Read a file of the cache; download it if it is missing or not genuine."""
    cached = first_existing(folder, name)
    if cached is not None:
        try:
            return _read_genuine(cached, name)
        except FileFormatError:
            pass  # a download takes its place: the canonical name comes before all others
    contents = _download(name, folder)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / name) as file:
        file.write(contents)
    return _read_genuine(folder / name, name)


def _download(name: str, folder: Path) -> bytes:
    """Return the decompressed file from the first mirror that delivers it."""
    reasons = []
    for mirror in MIRRORS:
        url = f"{mirror}{name}.gz"
        try:
            contents = _decompress(_fetch(url, SIZES[name] + _GZIP_FRAME), SIZES[name])
        except (OSError, EOFError, http.client.HTTPException, zlib.error, FileFormatError) as error:
            reasons.append(f"{url}: {error or type(error).__name__}")
            continue
        digest = hashlib.sha256(contents).hexdigest()
        if digest == SHA256[name]:
            return contents
        reasons.append(f"{url}: wrong contents, SHA-256 {digest}")
    raise ConnectionError(
        f"MNIST: no mirror delivered {name}:\n  "
        + "\n  ".join(reasons)
        + f"\nPut the four files ({', '.join(FILE_NAMES)}; plain or .gz) into {folder}, or pass the folder "
        "they are in to load_mnist(folder); load_synthetic() needs no files."
    )


def _fetch(url: str, most_bytes: int) -> bytes:
    """Return what the server sends, within limits of size and time."""
    deadline = time.monotonic() + _SECONDS_A_FILE
    received = bytearray()
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS_OF_SILENCE) as response:
            # read1 returns after one packet, so a server that trickles meets the deadline.
            while chunk := response.read1(1 << 16):
                received += chunk
                if len(received) > most_bytes:
                    raise FileFormatError(f"larger than {most_bytes} bytes, all that the file can need")
                if time.monotonic() > deadline:
                    raise TimeoutError(f"not complete after {_SECONDS_A_FILE:.0f} seconds")
    except urllib.error.HTTPError as error:
        error.close()
        raise
    return bytes(received)


def _decompress(data: bytes, size: int) -> bytes:
    """Decompress with gzip, but no further than one byte beyond the expected size."""
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        contents = stream.read(size + 1)
    if len(contents) != size:
        raise FileFormatError(f"expected {size} bytes after decompression, got {len(contents)} or more")
    return contents
