"""The old file or the new one, complete, whatever fails and whenever the process is killed."""

import errno
import itertools
import os
import resource
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fastmlp.files import atomic
from fastmlp.files.atomic import STALE_SECONDS, atomic_write
from fastmlp.files.model_file import write_model
from tests.faulty_disk import FaultyDisk

OLD = b"the old content"
NEW = b"the new content, " * 20


def save_bytes(path: Path) -> None:
    with atomic_write(path) as file:
        file.write(NEW)


def save_model(path: Path) -> None:
    write_model(path, {"layers": [3, 2]}, {"0.weight": np.arange(6.0).reshape(3, 2), "0.bias": np.ones(2)})


SAVES = [save_bytes, save_model]


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def content_of(save: Callable[[Path], None], folder: Path) -> bytes:
    folder.mkdir()
    save(folder / "whole")
    return (folder / "whole").read_bytes()


def test_writes_replaces_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "file"
    for content in (OLD, NEW):
        with atomic_write(str(path)) as file:
            file.write(content)
        assert path.read_bytes() == content
    assert names(tmp_path) == ["file"]


def test_the_old_file_stays_until_the_block_ends(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with atomic_write(path) as file:
        file.write(NEW)
        file.flush()
        assert path.read_bytes() == OLD
    assert path.read_bytes() == NEW


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_in_the_block_passes_unchanged_and_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with pytest.raises(error, match=r"^from the block$"), atomic_write(path) as file:
        file.write(NEW)
        raise error("from the block")
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("existed", [False, True])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("save", SAVES)
def test_r19_every_operation_fails_in_turn(tmp_path, monkeypatch, save, code, existed, persistent):
    new = content_of(save, tmp_path / "expected")
    failed = set()
    for at in itertools.count(1):
        path = tmp_path / str(at) / "file"
        path.parent.mkdir()
        if existed:
            path.write_bytes(OLD)

        def fault():
            raise OSError(code, os.strerror(code))

        disk = FaultyDisk(fault, at, persistent)
        with monkeypatch.context() as patch:
            disk.install(patch)
            try:
                save(path)
            except OSError as error:
                assert error.errno == code
                assert str(path) in str(error)
                assert os.strerror(code) in str(error)
                in_place = "in place" in str(error)
            else:
                break
        failed.add(disk.steps[at - 1])
        assert in_place == ("replace" in disk.steps[: at - 1])
        if in_place:
            assert path.read_bytes() == new
        elif existed:
            assert path.read_bytes() == OLD
        assert names(path.parent) == (["file"] if existed or in_place else [])
    assert len(disk.steps) == at - 1, "the save that worked was the one with no fault in it"
    assert path.read_bytes() == new
    assert failed == {"open", "write", "fsync", "replace"} | ({"fchmod"} if existed else set())


def kill_at_every_step(save: Callable[[Path], None], folder: Path) -> None:
    """Save in a child process that dies without a word at its n-th operation, for every n."""
    for at in itertools.count(1):
        path = folder / str(at) / "file"
        path.parent.mkdir()
        path.write_bytes(OLD)
        child = os.fork()
        if child == 0:
            FaultyDisk(lambda: os._exit(9), at).install(pytest.MonkeyPatch())
            save(path)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break


@pytest.mark.parametrize("save", SAVES)
def test_r18_killed_at_every_operation(tmp_path, save):
    new = content_of(save, tmp_path / "expected")
    folder = tmp_path / "killed"
    folder.mkdir()
    # The forks are made by a process of their own, which has no threads.
    script = (
        "import sys, pathlib; from tests import test_atomic as tests;"
        "tests.kill_at_every_step(getattr(tests, sys.argv[1]), pathlib.Path(sys.argv[2]))"
    )
    subprocess.run(
        [sys.executable, "-c", script, save.__name__, str(folder)], cwd=Path(__file__).parents[1], check=True
    )
    contents = [(folder / str(at) / "file").read_bytes() for at in range(1, len(names(folder)) + 1)]
    killed_late = contents.index(new)
    assert killed_late >= 4, "open, write, fsync and replace come before the new file shows"
    assert contents == [OLD] * killed_late + [new] * (len(contents) - killed_late)
    assert len(names(folder / "2")) == 2, "the killed save left a temporary file"
    for temporary in (folder / "2").glob(".*.tmp"):
        os.utime(temporary, (0, 0))
    save(folder / "2" / "file")
    assert names(folder / "2") == ["file"]


def test_only_old_temporary_files_of_the_same_target_are_removed(tmp_path):
    path = tmp_path / "m[o]del.*"
    stale = [".m[o]del.*.0123456789abcdef.tmp", ".m[o]del.*.fedcba9876543210.tmp"]
    kept = [
        ".m[o]del.*.0123456789abcde.tmp",
        ".m[o]del.*.notes.tmp",
        ".model.x.0123456789abcdef.tmp",
        "m[o]del.*.0123456789abcdef.tmp",
    ]
    fresh = ".m[o]del.*.00000000aaaaaaaa.tmp"
    now = time.time()
    for name in [*stale, *kept, fresh]:
        (tmp_path / name).write_bytes(b"")
        age = STALE_SECONDS / 2 if name == fresh else STALE_SECONDS * 2
        os.utime(tmp_path / name, (now - age, now - age))
    save_bytes(path)
    assert names(tmp_path) == sorted([*kept, fresh, path.name])


def test_a_folder_that_cannot_be_cleaned_does_not_stop_the_save(tmp_path):
    (tmp_path / ".file.0123456789abcdef.tmp").mkdir()
    os.utime(tmp_path / ".file.0123456789abcdef.tmp", (0, 0))
    save_bytes(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == NEW


def test_r32_a_link_at_the_final_path_is_replaced_and_not_followed(tmp_path):
    victim, path = tmp_path / "victim", tmp_path / "file"
    victim.write_bytes(OLD)
    victim.chmod(0o600)
    path.symlink_to(victim)
    save_bytes(path)
    assert victim.read_bytes() == OLD
    assert not path.is_symlink()
    assert path.read_bytes() == NEW
    assert stat.S_IMODE(path.stat().st_mode) != 0o777, "the mode of a link is not that of a file"


def test_r32_a_link_at_the_temporary_path_is_not_followed(tmp_path, monkeypatch):
    victim, path = tmp_path / "victim", tmp_path / "file"
    victim.write_bytes(OLD)
    (tmp_path / ".file.guessed.tmp").symlink_to(victim)
    monkeypatch.setattr(atomic.secrets, "token_hex", lambda size: "guessed")
    with pytest.raises(FileExistsError, match="file"):
        save_bytes(path)
    assert victim.read_bytes() == OLD
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o777])
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_r19_the_mode_of_the_old_file_is_kept(tmp_path, mode, umask):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    path.chmod(mode)
    before = os.umask(umask)
    try:
        with atomic_write(path) as file:
            assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == mode
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_r19_a_private_file_is_private_from_its_first_moment(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    path.chmod(0o600)
    at_creation = []
    monkeypatch.setattr(os, "fchmod", lambda file, mode: at_creation.append(os.fstat(file).st_mode))
    before = os.umask(0)
    try:
        save_bytes(path)
    finally:
        os.umask(before)
    assert [stat.S_IMODE(mode) for mode in at_creation] == [0o600]


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_gets_the_mode_that_open_would_give(tmp_path, umask):
    before = os.umask(umask)
    try:
        save_bytes(tmp_path / "file")
        (tmp_path / "by open").write_bytes(NEW)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "by open").stat().st_mode


def test_r19_a_real_limit_of_the_operating_system(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(NEW) - 1, hard))
    try:
        with pytest.raises(OSError, match=r"cannot write the file: .*file'") as error:
            save_bytes(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.errno == errno.EFBIG
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["file"]


def test_what_cannot_be_replaced_is_refused_before_anything_is_written(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_bytes(OLD)
    for name, error, text in [
        ("folder", IsADirectoryError, "this is a folder"),
        ("pipe", OSError, "a device or a pipe"),
        ("missing/file", FileNotFoundError, "no such folder, create it first"),
        ("text/file", FileNotFoundError, "no such folder"),
    ]:
        with pytest.raises(error, match=text) as caught:
            save_bytes(tmp_path / name)
        assert str(tmp_path / name.split("/")[0]) in str(caught.value)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert names(tmp_path) == ["folder", "pipe", "text"]


def test_a_read_only_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    path.chmod(0o444)
    if os.geteuid() == 0:  # root may write to every file
        monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(PermissionError, match=r"the file is read-only: .*file'"):
        save_bytes(path)
    assert path.read_bytes() == OLD


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every folder")
def test_a_read_only_folder_is_named(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(PermissionError, match=r"cannot write the file: .*file'"):
        save_bytes(tmp_path / "file")


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.EACCES])
def test_a_folder_that_the_platform_cannot_sync_is_no_error(tmp_path, monkeypatch, code):
    real_fsync = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, os.strerror(code))
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    save_bytes(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == NEW


def test_file_and_folder_are_synced_around_the_replacement(tmp_path, monkeypatch):
    disk = FaultyDisk(lambda: None, at=0)
    disk.install(monkeypatch)
    save_bytes(tmp_path / "file")
    order = [step for step in disk.steps if step != "write"]
    assert order == ["open", "fsync", "replace", "open", "fsync"]
    assert "write" not in disk.steps[disk.steps.index("fsync") :]
