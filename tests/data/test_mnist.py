"""Downloads of MNIST: only the right bytes, from whichever mirror has them, are ever used."""

import gzip
import hashlib
import os
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from fastmlp.data import load_mnist, mnist, write_idx
from fastmlp.data.folder import FILE_NAMES
from fastmlp.errors import FileFormatError

FIRST = FILE_NAMES[0]
ARRAYS = {
    "train-images-idx3-ubyte": np.arange(4 * 28 * 28, dtype=np.int64).reshape(4, 28, 28).astype(np.uint8),
    "train-labels-idx1-ubyte": np.array([3, 1, 4, 1], np.uint8),
    "t10k-images-idx3-ubyte": np.ones((2, 28, 28), np.uint8),
    "t10k-labels-idx1-ubyte": np.array([1, 4], np.uint8),
}


class Mirrors:
    """A local server: `answers` maps "/mirror/file" to what is sent; every request is noted."""

    def __init__(self):
        self.answers, self.requests = {}, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append(self.path)
                answer = outer.answers.get(self.path)
                if answer is None:
                    self.send_error(404)
                    return
                length, body = answer if isinstance(answer, tuple) else (len(answer), answer)
                self.send_response(200)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def originals(tmp_path):
    """The four files that stand for MNIST in these tests."""
    folder = tmp_path / "originals"
    folder.mkdir()
    for name, array in ARRAYS.items():
        write_idx(folder / name, array)
    return {name: (folder / name).read_bytes() for name in ARRAYS}


@pytest.fixture
def mirrors(tmp_path, monkeypatch, originals):
    """Two mirrors, of which the second has all files, and an empty cache."""
    mirrors = Mirrors()
    thread = threading.Thread(target=mirrors.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(mnist, "MIRRORS", (f"{mirrors.url}/first/", f"{mirrors.url}/second/"))
    monkeypatch.setattr(
        mnist, "SHA256", {name: hashlib.sha256(raw).hexdigest() for name, raw in originals.items()}
    )
    monkeypatch.setattr(mnist, "SIZES", {name: len(raw) for name, raw in originals.items()})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name, raw in originals.items():
        mirrors.answers[f"/second/{name}.gz"] = gzip.compress(raw)
    yield mirrors
    mirrors.server.shutdown()
    thread.join()
    mirrors.server.server_close()


def assert_all_there(data):
    loaded = (data.x_train, data.y_train, data.x_test, data.y_test)
    for array, name in zip(loaded, FILE_NAMES, strict=True):
        np.testing.assert_array_equal(array, ARRAYS[name], strict=True)


def cached_names():
    return sorted(entry.name for entry in mnist.cache_folder().iterdir())


@pytest.mark.survives("R16")
def test_production_mirrors_are_https_and_several():
    assert len(set(mnist.MIRRORS)) >= 3
    assert all(re.fullmatch(r"https://[a-z0-9.-]+/.*/", mirror) for mirror in mnist.MIRRORS)


def test_the_pinned_sizes_are_those_of_the_shapes():
    assert mnist.SIZES == {
        "train-images-idx3-ubyte": 4 + 3 * 4 + 60_000 * 28 * 28,
        "train-labels-idx1-ubyte": 4 + 4 + 60_000,
        "t10k-images-idx3-ubyte": 4 + 3 * 4 + 10_000 * 28 * 28,
        "t10k-labels-idx1-ubyte": 4 + 4 + 10_000,
    }
    assert tuple(mnist.SHA256) == FILE_NAMES


def test_every_file_is_downloaded_once(mirrors):
    assert_all_there(load_mnist())
    assert sorted(mirrors.requests) == sorted(
        f"/{mirror}/{name}.gz" for mirror in ("first", "second") for name in FILE_NAMES
    )
    assert cached_names() == sorted(FILE_NAMES)
    mirrors.requests.clear()
    assert_all_there(load_mnist())
    assert mirrors.requests == []


def bad_answers(raw):
    """What a bad mirror may send, and what the error says about it."""
    packed = gzip.compress(raw)
    other = bytearray(raw)
    other[-1] ^= 1
    return {
        "wrong bytes": (gzip.compress(bytes(other)), "wrong contents"),
        "a flipped bit": (packed[:-1] + bytes([packed[-1] ^ 1]), "CRC|length"),
        "cut short": (packed[: len(packed) // 2], "ended before"),
        "connection lost": ((len(packed), packed[: len(packed) // 2]), "ended before"),
        "nothing": (b"", "expected"),
        "not compressed": (raw, "[Nn]ot a gzipped"),
        "an error page": (b"<html>moved</html>", "[Nn]ot a gzipped"),
        "too short": (gzip.compress(raw[:-1]), "expected"),
        "too long": (gzip.compress(raw + b"\0"), "expected"),
        # Without its end: expanding all of it would say "ended before", not "expected".
        "a bomb": (gzip.compress(bytes(1000 * len(raw)))[:-8], "expected"),
        "more than the file": (bytes(2 * len(raw)), "larger than"),
        "missing": (None, "404"),
    }


@pytest.mark.survives("R16")
@pytest.mark.parametrize("fault", bad_answers(b"keys only"))
def test_a_bad_mirror_is_skipped(mirrors, originals, fault):
    for name, raw in originals.items():
        mirrors.answers[f"/first/{name}.gz"] = bad_answers(raw)[fault][0]
    assert_all_there(load_mnist())
    assert cached_names() == sorted(FILE_NAMES)


@pytest.mark.parametrize("fault", bad_answers(b"keys only"))
def test_without_a_good_mirror_the_error_gives_each_reason_and_the_way_out(mirrors, originals, fault):
    answer, reason = bad_answers(originals[FIRST])[fault]
    mirrors.answers = {f"/{mirror}/{FIRST}.gz": answer for mirror in ("first", "second")}
    with pytest.raises(ConnectionError) as caught:
        load_mnist()
    message = str(caught.value)
    for mirror in ("first", "second"):
        assert re.search(rf"/{mirror}/{FIRST}\.gz: .*({reason})", message)
    assert str(mnist.cache_folder()) in message
    assert "load_mnist(folder)" in message
    assert "load_synthetic()" in message
    assert not mnist.cache_folder().exists()


def test_an_unreachable_mirror_is_skipped(mirrors, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but nobody listens
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        monkeypatch.setattr(mnist, "MIRRORS", (closed, mnist.MIRRORS[1]))
        assert_all_there(load_mnist())


def test_a_silent_mirror_is_skipped(mirrors, monkeypatch):
    load_mnist()
    (mnist.cache_folder() / FIRST).unlink()
    monkeypatch.setattr(mnist, "_SECONDS_OF_SILENCE", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        monkeypatch.setattr(
            mnist, "MIRRORS", (f"http://127.0.0.1:{silent.getsockname()[1]}/", mnist.MIRRORS[1])
        )
        assert_all_there(load_mnist())


def test_a_mirror_that_takes_too_long_is_skipped(mirrors, monkeypatch):
    monkeypatch.setattr(mnist, "_SECONDS_A_FILE", -1.0)
    with pytest.raises(ConnectionError, match=r"second/.*: not complete after"):
        load_mnist()


@pytest.mark.parametrize("damage", [b"", b"\0\0\x08\x03", b"garbage"])
def test_a_damaged_file_of_the_cache_is_downloaded_anew(mirrors, originals, damage):
    load_mnist()
    (mnist.cache_folder() / FIRST).write_bytes(damage)
    mirrors.requests.clear()
    assert_all_there(load_mnist())
    assert mirrors.requests == [f"/first/{FIRST}.gz", f"/second/{FIRST}.gz"]
    assert (mnist.cache_folder() / FIRST).read_bytes() == originals[FIRST]


@pytest.mark.survives("R16")
def test_a_wrong_file_of_the_cache_is_never_used(mirrors):
    load_mnist()
    write_idx(mnist.cache_folder() / FIRST, np.zeros_like(ARRAYS[FIRST]))
    mirrors.answers.clear()
    with pytest.raises(ConnectionError, match=FIRST):
        load_mnist()


def test_a_wrong_compressed_file_of_the_cache_does_not_hide_the_download(mirrors):
    mnist.cache_folder().mkdir(parents=True)
    write_idx(mnist.cache_folder() / f"{FIRST}.gz", np.zeros_like(ARRAYS[FIRST]))
    assert_all_there(load_mnist())
    mirrors.requests.clear()
    assert_all_there(load_mnist())
    assert mirrors.requests == []


def test_files_put_into_the_cache_by_hand_are_used(mirrors):
    mnist.cache_folder().mkdir(parents=True)
    for name, array in ARRAYS.items():
        write_idx(mnist.cache_folder() / f"{name}.gz", array)
    assert_all_there(load_mnist())
    assert mirrors.requests == []


@pytest.mark.survives("R16")
def test_a_full_disk_leaves_nothing_behind(mirrors, monkeypatch):
    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full_disk)
        with pytest.raises(OSError, match="No space left"):
            load_mnist()
    assert cached_names() == []
    assert_all_there(load_mnist())


def test_a_folder_is_read_without_the_network(mirrors, tmp_path):
    assert_all_there(load_mnist(tmp_path / "originals"))
    assert mirrors.requests == []


def test_a_folder_with_another_data_set_is_refused(mirrors, tmp_path):
    path = tmp_path / "originals" / FILE_NAMES[3]
    write_idx(path, np.array([1, 5], np.uint8))
    with pytest.raises(
        FileFormatError, match=re.escape(str(path)) + r": not the MNIST file.*load_idx_folder\(\)"
    ):
        load_mnist(tmp_path / "originals")


def test_the_real_mnist():
    folder = os.environ.get("FASTMLP_MNIST")
    if folder is None:
        pytest.skip("set FASTMLP_MNIST to a folder with the four files of MNIST")
    data = load_mnist(folder)
    assert data.x_train.shape == (60_000, 28, 28)
    assert data.x_test.shape == (10_000, 28, 28)
    assert data.x_train.dtype == data.x_test.dtype == data.y_train.dtype == data.y_test.dtype == np.uint8
    # Counts published with the data set.
    assert np.bincount(data.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
