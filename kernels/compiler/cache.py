"""Where machine code is kept between processes, and when it may be trusted.

Numba's own `cache=True` looks only at the file of the decorated function: edit a kernel that it
calls, and the old machine code goes on running. Here one stamp, a hash over every file of this
package, guards every entry.

The cache is pickled machine code: whoever can write it can run code as us. So its folder must be a
real folder, ours, and writable by nobody else; otherwise we go on without a cache and say so once.
A file that is truncated or unreadable is a miss, never an error.
"""

import hashlib
import os
import stat
import warnings
from functools import cache
from pathlib import Path

from numba.core import config
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.misc.appdirs import AppDirs

PACKAGE = Path(__file__).resolve().parents[1]


def compiled_files() -> list[Path]:
    """All files of this package, wherever they are, but those of the NumPy twin, which is never compiled."""
    return sorted(
        path for path in PACKAGE.rglob("*.py") if "reference" not in path.relative_to(PACKAGE).parts
    )


@cache
def stamp() -> str:
    """SHA-256 over the names and contents of all files that may be compiled."""
    digest = hashlib.sha256()
    for path in compiled_files():
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _reason_to_refuse(folder: Path) -> str | None:
    """Why machine code in `folder` must not be trusted, or None."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return "it is a link or not a folder"
    if hasattr(os, "getuid"):
        if status.st_uid != os.getuid():
            return "it belongs to another user"
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return "other users can write to it"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "it is not writable"
    return None


@cache
def folder() -> Path | None:
    """The folder of the machine code, made if it is missing; None when there is none to trust."""
    root = Path(config.CACHE_DIR or AppDirs(appname="fastmlp", appauthor=False).user_cache_dir)
    # One folder for each place the package is installed at, as two versions may live side by side.
    path = root / f"kernels_{hashlib.sha256(str(PACKAGE).encode()).hexdigest()[:16]}"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        reason = _reason_to_refuse(path)
    except OSError as error:
        reason = error.strerror or str(error)
    if reason is None:
        return path
    warnings.warn(
        f"fastmlp: compiled kernels are not cached in {path}: {reason}. Every new process compiles them "
        "anew (some seconds); set NUMBA_CACHE_DIR to a folder of your own to avoid that.",
        RuntimeWarning,
        stacklevel=2,
    )
    return None


@cache
def _warn_not_kept(why: str) -> None:
    """Say once, not for each entry, that machine code could not be written."""
    warnings.warn(
        f"fastmlp: compiled kernels are not kept in {why}. The next process compiles them anew (some seconds); make "
        "room, or set NUMBA_CACHE_DIR to another folder.",
        RuntimeWarning,
        stacklevel=3,
    )


class _Locator(_CacheLocator):
    """Numba's question "where, and how fresh": one folder and one stamp for the whole package."""

    # Set by `kernels/jit.py`: what besides the source changes the machine code.
    variant = ""

    def get_cache_path(self) -> str:
        """Where the files are."""
        return str(folder())

    def get_source_stamp(self) -> str:
        """What a file must carry to be used."""
        return stamp()

    def get_disambiguator(self) -> str:
        """What files of other variants do not have in their names."""
        return self.variant

    @classmethod
    def from_function(cls, py_func, py_file):
        """The locator of a function: the same for all."""
        locator = cls()
        locator._py_file = py_file  # Numba names it in a warning
        return locator


class _Impl(CompileResultCacheImpl):
    _locator_classes = (_Locator,)


class PackageCache(FunctionCache):
    """Numba's function cache under the stamp of the whole package; what cannot be read is a miss."""

    _impl_class = _Impl

    def load_overload(self, sig, target_context):
        """The machine code of a signature; None if there is none that can be read."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:
            self._forget()
            return None

    def save_overload(self, sig, data):
        """Keep the machine code of a signature; a warning if that fails."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _warn_not_kept(f"{self.cache_path}: {error.strerror or error}")

    def _forget(self):
        """Drop a damaged index, so that the recompiled entry can be saved over it."""
        try:
            Path(self._cache_file._index_path).unlink()
        except OSError:
            self.disable()


def attach(dispatcher, variant: str) -> None:
    """Give a dispatcher the package's cache, if there is a folder to keep it in."""
    if folder() is None:
        return
    _Locator.variant = variant
    dispatcher._cache = PackageCache(dispatcher.py_func)
