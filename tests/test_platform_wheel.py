"""A platform wheel is the pure wheel, machine code, and a tag that says for whom."""

import base64
import csv
import hashlib
import sys
import zipfile

import pytest

from release import platform_wheel

# In the place of the compilation, which tests/test_prebuilt.py has.
PREBUILD = """
import sys
from pathlib import Path
(Path(__file__).parents[1] / "machine code").write_text(" ".join(sys.argv[1:]))
"""
INFORMATION = "fastmlp-0.1.0.dist-info"


@pytest.fixture
def pure(tmp_path):
    path = tmp_path / "fastmlp-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {
            "fastmlp/__init__.py": "",
            "fastmlp/cli/__init__.py": "",
            "fastmlp/cli/prebuild.py": PREBUILD,
            f"{INFORMATION}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n\n",
            f"{INFORMATION}/RECORD": "",
        }.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def wheel(pure):
    return platform_wheel.make(pure, ["float32", "float64"])


def test_its_name_and_its_tag_agree(wheel):
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    tag = f"{python}-{python}-manylinux_2_17_x86_64"
    assert wheel.name == f"fastmlp-0.1.0-{tag}.whl"
    text = zipfile.Path(wheel, f"{INFORMATION}/WHEEL").read_text()
    assert text == f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n"


def test_machine_code_is_made_from_the_sources_in_the_wheel(wheel, pure):
    with zipfile.ZipFile(wheel) as archive, zipfile.ZipFile(pure) as sources:
        assert set(archive.namelist()) == {*sources.namelist(), "fastmlp/machine code"}
        assert archive.read("fastmlp/machine code") == b"float32 float64"
        assert archive.read("fastmlp/cli/prebuild.py") == PREBUILD.encode()


def test_every_file_is_on_record(wheel):
    with zipfile.ZipFile(wheel) as archive:
        record = f"{INFORMATION}/RECORD"
        listed = {row[0]: row[1:] for row in csv.reader(archive.read(record).decode().splitlines())}
        assert set(listed) == set(archive.namelist())
        assert listed.pop(record) == ["", ""]
        for name, (digest, size) in listed.items():
            content = archive.read(name)
            expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            assert (digest, size) == (f"sha256={expected}", str(len(content)))


def test_the_same_files_give_the_same_wheel(wheel, pure):
    content = wheel.read_bytes()
    assert platform_wheel.make(pure, ["float32", "float64"]).read_bytes() == content


@pytest.mark.parametrize(
    "name", ["fastmlp-0.1.0.tar.gz", "fastmlp-0.1.0-cp311-cp311-manylinux_2_17_x86_64.whl"]
)
def test_only_a_pure_wheel_is_taken(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["platform_wheel", name])
    with pytest.raises(SystemExit):
        platform_wheel.main()
    assert "expected a pure wheel" in capsys.readouterr().err
