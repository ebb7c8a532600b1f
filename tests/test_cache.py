"""R20, R21, R24: the cache of machine code is never stale, never trusted where others can write, never fatal.

Each test runs a copy of the package with a tiny entry in new processes, with a cache folder of its own.
"""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.caching import FunctionCache

import fastmlp
from fastmlp import kernels
from fastmlp.kernels.compiler import cache, jit, numba_internals
from fastmlp.kernels.program import entries  # noqa: F401  (so that all kernels are imported)

HELPER = """
from fastmlp.kernels import simd
from fastmlp.kernels.compiler.jit import kernel

@kernel
def number():
    return 100 + simd.FLOAT32_LANES
"""
ENTRY = """
from fastmlp.kernels.{folder}helper import number
from fastmlp.kernels.compiler.jit import entry

@entry
def answer():
    return number()
"""
SCRIPT = """
import json
from fastmlp.kernels.probe import answer
print(json.dumps([answer(), sum(answer.stats.cache_hits.values())]))
"""


class Package:
    """A copy of the package, and where it keeps machine code."""

    def __init__(self, folder):
        self.root, self.cache = folder / "site", folder / "cache"
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(fastmlp.__file__).parent, self.root / "fastmlp", ignore=skip)
        self.kernels = self.root / "fastmlp" / "kernels"
        shutil.copytree(Path(kernels.__file__).parent, self.kernels, ignore=skip, dirs_exist_ok=True)
        self.put_helper_in("")

    def put_helper_in(self, folder):
        """Write an entry, and the kernel that it calls in this folder of the package; '' is the package's own."""
        where = self.kernels / folder
        where.mkdir(parents=True, exist_ok=True)
        (where / "helper.py").write_text(HELPER)
        path = "".join(f"{name}." for name in folder.split("/") if name)
        (self.kernels / "probe.py").write_text(ENTRY.format(folder=path))

    def start(self, source=SCRIPT, lanes=4, **environment):
        """A process that runs the entry, or something else."""
        env = {
            **os.environ,
            "PYTHONPATH": str(self.root),
            "PYTHONDONTWRITEBYTECODE": "1",  # the tests edit sources faster than bytecode can tell
            "NUMBA_CACHE_DIR": str(self.cache),
            "FASTMLP_LANES": str(lanes),
            **environment,
        }
        return subprocess.Popen(
            [sys.executable, "-c", source],
            env=env,
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, lanes=4):
        """Its answer, whether the machine code came from the cache, and the warnings."""
        return finish(self.start(lanes=lanes))

    @property
    def folder(self):
        """The folder of the machine code."""
        (folder,) = self.cache.iterdir()
        return folder


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    answer, hits = json.loads(out)
    return answer, hits == 1, err


@pytest.fixture
def package(tmp_path):
    return Package(tmp_path)


def test_machine_code_is_kept(package):
    assert package.run() == (104, False, "")
    assert package.run() == (104, True, "")


def test_kept_machine_code_is_loaded_without_what_compiling_needs(package):
    """Numba imports that, and SciPy with it, when it first compiles: most of the time of a warm start."""
    script = (
        f"import sys\n{SCRIPT}\nassert ('numba.np.linalg' in sys.modules) != bool(answer.stats.cache_hits)"
    )
    for from_cache in (False, True):
        assert finish(package.start(script))[:2] == (104, from_cache)


def test_something_else_compiles_after_machine_code_was_loaded(package):
    package.run()
    script = SCRIPT.replace("[answer()", "[answer() + numba.njit(lambda x: x.sum())(np.ones(3)) - 3")
    assert finish(package.start(f"import numba, numpy as np\n{script}")) == (104, True, "")


@pytest.mark.parametrize("folder", ["", "loops", "loops/more", "simd/more"])
def test_an_edited_helper_is_noticed(package, folder):
    """In whatever folder it is; the entry's own file, the only one that Numba would look at, stays as it is."""
    package.put_helper_in(folder)
    assert package.run() == (104, False, "")
    helper = package.kernels / folder / "helper.py"
    helper.write_text(HELPER.replace("100", "200"))
    assert package.run() == (204, False, "")
    assert package.run() == (204, True, "")
    helper.write_text(HELPER)
    assert package.run()[0] == 104


def test_a_file_that_is_edited_while_a_process_runs(package):
    """The process keeps the code that it imported under the stamp of that time, not of what is there now."""
    edit = "import pathlib; path = pathlib.Path(probe.__file__).with_name('helper.py')\n"
    edit += "path.write_text(path.read_text().replace('100', '200'))"
    script = SCRIPT.replace("print", f"from fastmlp.kernels import probe\n{edit}\nprint")
    assert finish(package.start(script)) == (104, False, "")
    assert package.run() == (204, False, "")


def test_the_stamp_covers_every_file_that_is_compiled():
    compiled = {Path(dispatcher.py_func.__code__.co_filename) for dispatcher in jit.ENTRIES.values()}
    for module in [name for name in sys.modules if name.startswith("fastmlp.kernels.")]:
        if not module.startswith("fastmlp.kernels.reference"):
            compiled.add(Path(sys.modules[module].__file__))
    assert compiled <= set(cache.compiled_files())


def test_vector_widths_are_kept_apart(package):
    for lanes in (4, 8, 16):
        assert package.run(lanes) == (100 + lanes, False, "")
    assert package.run(4) == (104, True, "")


@pytest.mark.survives("R21")
@pytest.mark.parametrize("damage", ["half", "text"])
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_damaged_files(package, suffix, damage):
    assert package.run() == (104, False, "")
    files = [path for path in package.folder.rglob("*") if path.suffix == suffix]
    assert files
    for path in files:
        whole = path.read_bytes()
        path.write_bytes({"half": whole[: len(whole) // 2], "text": b"no machine code"}[damage])
    assert package.run() == (104, False, "")
    assert package.run() == (104, True, "")


@pytest.mark.survives("R24")
def test_many_processes_start_cold(package):
    for process in [package.start() for _ in range(5)]:
        assert finish(process)[::2] == (104, "")
    assert package.run() == (104, True, "")


def assert_uncached(package, reason):
    """The right answer without the cache, and one warning that says why."""
    answer, from_cache, warnings = package.run()
    assert (answer, from_cache) == (104, False)
    assert warnings.count("RuntimeWarning: fastmlp: compiled kernels are not cached in") == 1
    assert reason in warnings
    assert "NUMBA_CACHE_DIR" in warnings


@pytest.mark.survives("R24")
def test_a_full_disk_is_said_once(monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FunctionCache, "save_overload", fail)
    monkeypatch.setattr(numba_internals.PackageCache, "cache_path", "a/folder")
    cache.warn_not_kept.cache_clear()
    entry_cache = object.__new__(numba_internals.PackageCache)
    with pytest.warns(
        RuntimeWarning, match=r"not kept in a/folder: No space left on device\. .*NUMBA_CACHE_DIR"
    ) as caught:
        for _ in range(3):
            entry_cache.save_overload(None, None)
    assert len(caught) == 1


@pytest.mark.survives("R24")
def test_no_folder(package):
    package.cache.write_text("a file where the folder should be")
    assert_uncached(package, "Not a directory")


@pytest.mark.survives("R20")
@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_folder_that_others_can_write(package, mode):
    package.run()
    package.folder.chmod(mode)
    assert_uncached(package, "other users can write to it")


@pytest.mark.survives("R20")
def test_folder_that_is_a_link(package):
    package.run()
    folder = package.folder
    folder.rename(package.root / "elsewhere")
    folder.symlink_to(package.root / "elsewhere")
    assert_uncached(package, "it is a link")


@pytest.mark.survives("R20")
@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_folder_of_another_user(package):
    package.run()
    os.chown(package.folder, 12345, -1)
    assert_uncached(package, "it belongs to another user")


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_parent_that_others_can_write(package, mode):
    """They could put a folder of their own in the place of ours."""
    package.run()
    package.cache.chmod(mode)
    if mode == 0o775:
        os.chown(package.cache, -1, 12345)
    assert_uncached(package, f"other users can write to {package.cache} above it")


def test_parent_that_protects_what_is_in_it(package):
    """As /tmp does: others can add files there, but not exchange ours."""
    package.run()
    package.cache.chmod(0o1777)
    assert package.run() == (104, True, "")


def test_parent_that_is_a_link(package):
    """It is followed once, and what it points to is checked."""
    package.run()
    elsewhere = package.root / "elsewhere"
    package.cache.rename(elsewhere)
    package.cache.symlink_to(elsewhere)
    assert package.run() == (104, True, "")
    elsewhere.chmod(0o777)
    assert_uncached(package, f"other users can write to {elsewhere} above it")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_parent_of_another_user(package):
    package.run()
    os.chown(package.cache, 12345, -1)
    assert_uncached(package, f"{package.cache} above it belongs to another user")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_file_of_another_user(package):
    package.run()
    os.chown(next(package.folder.iterdir()), 12345, -1)
    assert_uncached(package, "in it belongs to another user")


def test_file_that_is_a_link(package):
    package.run()
    file = next(package.folder.iterdir())
    file.rename(package.root / "elsewhere")
    file.symlink_to(package.root / "elsewhere")
    assert_uncached(package, "in it is a link")


def test_file_that_others_can_write(package):
    """It matters only if they can enter the folder."""
    package.run()
    file = next(package.folder.iterdir())
    file.chmod(0o666)
    assert package.run() == (104, True, "")
    package.folder.chmod(0o755)
    assert_uncached(package, f"other users can write to {file.name} in it")


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o077])
def test_new_folders_are_of_this_user_alone(package, umask):
    package.cache = package.cache / "deep" / "er"
    before = os.umask(umask)
    try:
        assert package.run() == (104, False, "")
        assert package.run() == (104, True, "")
    finally:
        os.umask(before)
    assert package.folder.stat().st_mode & 0o777 == 0o700


def test_importing_creates_no_folder(package):
    process = package.start("from fastmlp.kernels.probe import answer")
    assert process.communicate(timeout=120) == ("", "")
    assert not package.cache.exists()


@pytest.mark.survives("R24")
@pytest.mark.skipif(os.getuid() == 0, reason="root can write everywhere")
def test_read_only_folder(package):
    package.run()
    package.folder.chmod(0o500)
    assert_uncached(package, "it is not writable")
