"""The two pytest-benchmark suites as parts of a run: pytest runs them, and their results become figures."""

import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from .rivals import ROOT
from .settings import Figures, Settings

_RESULT = re.compile(r"^\S+\.py::(.+) (PASSED|FAILED|ERROR|SKIPPED)")


class Suite(NamedTuple):
    """A file of benchmarks."""

    file: str
    name: str
    tests: Callable[[Settings], list[str]]  # names for -k, from the settings

    def _command(self, settings: Settings, *more: str) -> list[str]:
        chosen = " or ".join(self.tests(settings))
        return [
            sys.executable, "-m", "pytest", f"bench/{self.file}", "-k", chosen, "-p", "no:cacheprovider", *more
        ]  # fmt: skip

    def steps(self, settings: Settings) -> int:
        """Steps of progress: the tests."""
        found = subprocess.run(
            self._command(settings, "--collect-only", "-q"),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return found.stdout.count("::")

    def run(self, settings: Settings, figures: Figures) -> Iterator[str]:
        """Run the suite; a failed test is named, and Ctrl-C keeps the results so far."""
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results.json"
            process = subprocess.Popen(
                self._command(settings, "-v", f"--benchmark-json={results}"), cwd=ROOT, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, start_new_session=True,
            )  # fmt: skip
            lines = []
            try:
                for line in process.stdout:
                    lines.append(line)
                    if found := _RESULT.match(line):
                        yield found[1]
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)  # pytest then writes the results so far
                lines += process.stdout.readlines()
                process.wait()
                self.keep(results, lines, figures)

    def keep(self, results: Path, lines: list[str], figures: Figures) -> None:
        """Read the results of pytest into the figures."""
        for line in lines:
            if found := re.match(r"(?:FAILED|ERROR|SKIPPED) (.+?)(?: - (.*))?$", line):
                figures["failures"].append([self.name, found[1], found[2] or "see pytest"])
        if results.exists() and results.stat().st_size:
            found = json.loads(results.read_text())
            whole = [
                benchmark for benchmark in found["benchmarks"] if benchmark["extra_info"]
            ]  # not interrupted
            figures[self.name] = [benchmark["extra_info"] | _times(benchmark) for benchmark in whole]
            if found.get("peaks"):
                figures["peaks"] = found["peaks"]
        elif not any(_RESULT.match(line) for line in lines):
            figures["failures"].append([self.name, "pytest", "".join(lines[-3:]).strip()])


def _times(benchmark: dict) -> dict[str, float]:
    return {"median": benchmark["stats"]["median"]} if "start" in benchmark["extra_info"] else {}


KERNELS = Suite("bench_kernels.py", "kernels", lambda settings: ["test_kernel"])
EPOCHS = Suite(
    "bench_training.py", "epochs", lambda settings: [f"[{name}]" for name in settings.workloads] + ["start"]
)
