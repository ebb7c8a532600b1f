"""Machine code that comes with the package is used where it fits, and otherwise as if it were not there.

The last tests have a copy of the package with a tiny entry, whose machine code is made as for a platform wheel.
"""

import json
import shutil
import subprocess
import sys
import tomllib

import numba
import pytest

from fastmlp.kernels import simd
from fastmlp.kernels.compiler import prebuilt
from tests.pages import ROOT
from tests.test_cache import Package, finish

V3, V4 = prebuilt.TARGETS.values()
ENTRY = """
from fastmlp.kernels.helper import number
from fastmlp.kernels.compiler.jit import entry

@entry
def answer(x):
    return number() + x

@entry
def not_in_the_catalogue():
    return 0
"""
CATALOGUE = """
from numba import int64
from fastmlp.kernels.probe import answer

def compilations(dtypes):
    return [(answer, (int64,))]
"""
SCRIPT = """
import json
from fastmlp.kernels.compiler.jit import ENTRIES
from fastmlp.kernels.probe import answer
number = answer({argument})
print(json.dumps([number, sum(sum(entry.stats.cache_hits.values()) for entry in ENTRIES.values())]))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with two files for each target, on a processor that has all features."""
    monkeypatch.setattr(prebuilt, "FOLDER", tmp_path)
    monkeypatch.setattr(simd, "FEATURES", frozenset(V4.features))
    monkeypatch.setattr(simd, "FLOAT32_LANES", 16)
    for target in prebuilt.TARGETS.values():
        (tmp_path / target.name).mkdir()
        for name in ("loops.entry-w8.nbi", "loops.entry-w8.1.nbc"):
            (tmp_path / target.name / name).write_bytes(b"machine code")
        prebuilt.list_contents(target)
    prebuilt.found.cache_clear()
    yield tmp_path
    prebuilt.found.cache_clear()


def name_of_found():
    found = prebuilt.found()
    return found and found.folder.name


def test_levels_are_those_of_the_x86_64_abi():
    assert set(V3.features) < set(V4.features)
    assert {name for name in V4.features if name not in V3.features} == {
        f"avx512{part}" for part in ("f", "bw", "cd", "dq", "vl")
    }


def test_wide_vectors_have_the_code_of_avx_512(folder):
    assert name_of_found() == "x86-64-v4"


def test_narrower_vectors_have_the_code_of_avx_2(folder, monkeypatch):
    """Chosen by FASTMLP_LANES=8 on any processor, and by itself where there is no AVX-512."""
    monkeypatch.setattr(simd, "FLOAT32_LANES", 8)
    assert name_of_found() == "x86-64-v3"


def test_no_other_vectors_have_any(folder, monkeypatch):
    monkeypatch.setattr(simd, "FLOAT32_LANES", 4)
    assert name_of_found() is None


@pytest.mark.parametrize("target", prebuilt.TARGETS.values(), ids=prebuilt.TARGETS)
def test_every_feature_is_needed(folder, monkeypatch, target):
    monkeypatch.setattr(simd, "FLOAT32_LANES", target.lanes)
    for feature in target.features:
        monkeypatch.setattr(simd, "FEATURES", frozenset(V4.features) - {feature})
        prebuilt.found.cache_clear()
        assert name_of_found() is None, feature


@pytest.mark.parametrize("setting", ["CPU_NAME", "CPU_FEATURES"])
def test_a_processor_that_numba_is_told_to_compile_for_is_respected(folder, monkeypatch, setting):
    monkeypatch.setattr(numba.config, setting, "something")
    assert name_of_found() is None


@pytest.mark.parametrize("what", ["target", "system", "stamp", "python", "numba", "llvmlite"])
def test_what_was_made_for_something_else_is_refused(folder, what):
    path = folder / V4.name / "contents.json"
    contents = json.loads(path.read_text())
    contents["made_for"][what] += "0"
    path.write_text(json.dumps(contents))
    assert name_of_found() is None


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"made_for": {}', b"\xff\xfe", "0"])
def test_without_a_readable_list_there_is_nothing(folder, content):
    path = folder / V4.name / "contents.json"
    path.unlink() if content is None else path.write_bytes(getattr(content, "encode", lambda: content)())
    assert name_of_found() is None


def test_files_are_used_only_as_they_were_written(folder):
    found = prebuilt.found()
    assert found.is_intact("loops.entry-w8.")
    assert not found.is_intact("loops.another-w8.")
    file = found.folder / "loops.entry-w8.1.nbc"
    file.write_bytes(b"machine c0de")
    assert not found.is_intact("loops.entry-w8.")
    file.unlink()
    assert not found.is_intact("loops.entry-w8.")


def test_the_pure_wheel_has_no_machine_code():
    """Nor has the source distribution: a folder of machine code in a checkout is no part of any package."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    assert setuptools["package-data"] == {"fastmlp": ["py.typed"]}
    assert not (ROOT / "MANIFEST.in").exists()
    assert "/kernels/prebuilt/" in (ROOT / ".gitignore").read_text().splitlines()


class Installed(Package):
    """A copy of the package with machine code for an entry of one integer."""

    def __init__(self, folder):
        super().__init__(folder)
        (self.kernels / "probe.py").write_text(ENTRY)
        (self.root / "fastmlp" / "engine" / "catalogue.py").write_text(CATALOGUE)
        self.made = self.kernels / "prebuilt" / V3.name

    def make(self):
        process = self.start("import sys\nfrom fastmlp.cli.prebuild import main\nmain(['float32'])")
        assert process.communicate(timeout=120) == ("", "")
        assert process.returncode == 0

    def run(self, argument=0, lanes=8, **environment):
        """Its answer, whether the machine code came from a cache, and the warnings."""
        return finish(self.start(SCRIPT.format(argument=argument), lanes, **environment))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    package = Installed(tmp_path_factory.mktemp("made"))
    package.make()
    return package


@pytest.fixture
def package(made, tmp_path):
    copy = Installed(tmp_path)
    shutil.copytree(made.kernels / "prebuilt", copy.kernels / "prebuilt")
    return copy


runs_v3 = pytest.mark.skipif(
    not simd.FEATURES.issuperset(V3.features), reason="this processor is no x86-64-v3"
)


def test_each_target_has_machine_code_of_fixed_names(made):
    """It is compiled, not run, so that one machine makes it for all."""
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    for target in prebuilt.TARGETS.values():
        start = f"probe.answer-w{target.lanes}.{version}"
        names = {path.name for path in (made.kernels / "prebuilt" / target.name).iterdir()}
        assert names == {f"{start}.nbi", f"{start}.1.nbc", "contents.json"}
    assert not made.cache.exists()


@runs_v3
def test_nothing_is_compiled_and_nothing_written(package):
    assert package.run() == (108, True, "")
    assert not package.cache.exists()


@runs_v3
@pytest.mark.parametrize("setting", [{"lanes": 4}, {"FASTMLP_BOUNDSCHECK": "1"}, {"argument": 0.5}])
def test_other_code_is_compiled_and_kept_by_the_user(package, setting):
    _, from_cache, warnings = package.run(**setting)
    assert (from_cache, warnings) == (False, "")
    assert {path.suffix for path in package.folder.iterdir()} == {".nbi", ".nbc"}


@runs_v3
def test_edited_sources_are_noticed(package):
    helper = package.kernels / "helper.py"
    helper.write_text(helper.read_text().replace("100", "200"))
    assert package.run() == (208, False, "")


@runs_v3
@pytest.mark.parametrize("suffix", [".nbi", ".nbc", ".json"])
def test_damaged_files_are_missing_files(package, suffix):
    (file,) = (path for path in package.made.iterdir() if path.suffix == suffix)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    assert package.run() == (108, False, "")
    assert file.read_bytes() == content


@runs_v3
def test_the_users_cache_is_guarded_as_ever(package):
    """Where it is refused, what the package brings is used without a word, and other code compiled with a warning."""
    package.run(argument=0.5)
    package.folder.chmod(0o777)
    assert package.run() == (108, True, "")
    answer, from_cache, warnings = package.run(argument=0.5)
    assert (answer, from_cache) == (108.5, False)
    assert warnings.count("RuntimeWarning: fastmlp: compiled kernels are not cached in") == 1


def test_a_target_is_compiled_only_by_a_process_that_is_set_up_for_it():
    command = [sys.executable, "-m", "fastmlp.cli.prebuild", "float32", "--target", "x86-64-v4"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert "expected the environment" in run.stderr
