"""Mutated suites, specs, records and command lines: what is not understood ends with one clear line, never with a
traceback, never without end, and never with an attempt to hold it in memory.

What runs for minutes is cut off where it would start: `run_suite`, `launch` and `examine` say so instead of running.
"""

from __future__ import annotations

import json
import resource
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

import reports
from harness import records
from harness.cli import invoke
from harness.display import wide_console
from harness.runner import EndedAtLimits
from harness.suite_file import parse_suite, suite_names
from harness.summary import summary_table
from instances import InputError, digest, memory_bytes, parse_spec, peak_memory_bytes
from tests.faults.mutations import mutated, mutated_rows

ROOT = Path(__file__).resolve().parents[2]
DUALS = ROOT / "reports" / "published" / "2026-11-21-epyc" / "smoke" / "duals"
MEMORY = 256 << 20  # bytes that an instance may take here
GROWTH = 1 << 30  # bytes by which this process may grow over all inputs of a test
SECONDS = 30
SEED = 20261121

SPECS = [
    "unit:sources=100,destinations=10,degree=3,seed=1",
    "dualip:sources=200,destinations=50,degree=10,seed=42,polytope=box,radius=1.5",
    "independent:sources=30,destinations=12,degree=2.5,seed=7,polytope=simplex-eq,radius=2",
    "uniform:sources=1_000,destinations=1e2,degree=4",
    "movielens",
    "movielens:capacity=3",
    "parquet:path=/nowhere/at/all",
]
SUITE = """description = "mutated"
instances = ["movielens", "unit-5k", "dualip:sources=1000,destinations=40,degree=10,seed=42"]
solvers = ["blockpdhg", "ortools-pdlp", "scipy-highs-ds"]
tolerances = [1e-2, 1e-4]
time_limit = 20.0
threads = 2
repeats = 3
device = "cpu"
dtype = "float32"
seed = 1
[options.dualip]
gamma = 1e-3
[iteration_limits]
dualip = 100
[[exclude]]
instance = "unit-5k"
solver = "ortools-pdlp"
reason = "too slow"
"""
COMMANDS = [
    "run smoke --solver blockpdhg --instance unit-5k --tolerance 1e-4 --time-limit 5 --threads 2 --device cpu",
    "run small --repeats 3 --strict --resume",
    "scale dualip:sources=70000,destinations=20,degree=3 --mode weak --ranks 1,2 --iterations 5 --dtype float32",
    "scale unit:sources=70000,destinations=20,degree=3 --option gamma=1 --wire auto --checkpoint-every 5 --timeout 3",
    "plan dualip:sources=100000000000,destinations=10000,degree=10 --device h200 --ranks 8 --iterations 30 --json",
    "plan unit-5k --find-ranks --solver dualip",
    "generate unit:sources=100,destinations=10,degree=3,seed=1",
    "report SAMPLE",
    "verify SAMPLE --threads 2",
    "compare SAMPLE SAMPLE --fail-above 1.2 --any-environment",
    "check nosuch",
    "new-solver mine",
    "instances",
    "--version",
]


@contextmanager
def no_hang() -> Iterator[None]:
    """TimeoutError in what takes longer than SECONDS."""

    def over(*_: Any) -> NoReturn:
        raise TimeoutError(f"no end after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def bounded(memory_left: Callable[[float], None]) -> Iterator[None]:
    """Little memory for instances, and none of the process's own growth goes unseen."""
    memory_left(MEMORY)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert grown < GROWTH, f"grew by {grown / 2**20:.0f} MiB"


def tried(texts: Iterator[str], attempt: Callable[[str], str]) -> Counter[str]:
    """How the attempts ended; fails with the text that ended otherwise than by a result or an InputError."""
    ends: Counter[str] = Counter()
    for text in texts:
        try:
            with no_hang():
                ends[attempt(text)] += 1
        except InputError as error:
            ends[type(error).__name__ if str(error).strip() else "no message"] += 1
        except BaseException as error:
            raise AssertionError(f"{type(error).__name__}: {error}\nby {text[:2000]!r}") from error
    assert not ends["no message"]
    return ends


def test_mutated_specs(times: Callable[[int, int], int]) -> None:
    def attempt(text: str) -> str:
        spec = parse_spec(text)
        assert parse_spec(spec.text) == spec
        assert spec.expected_edges >= 1
        assert memory_bytes(spec) > 0
        assert peak_memory_bytes(spec) > 0
        assert digest(spec)
        return "a spec"

    ends = tried(mutated(SPECS, times(2000, 10_000), SEED), attempt)
    assert ends["a spec"] > 50
    assert ends["SpecError"] > 50


def test_mutated_suites(times: Callable[[int, int], int]) -> None:
    packaged = [(ROOT / "harness" / "suites" / f"{name}.toml").read_text() for name in suite_names()]

    def attempt(text: str) -> str:
        suite = parse_suite("mutated", text.encode(errors="surrogatepass"))
        for case in suite.cases():
            assert case.id
            assert suite.excluded(case) is not None
        return "a suite"

    ends = tried(mutated([SUITE, SUITE, *packaged], times(500, 10_000), SEED), attempt)
    assert ends["a suite"] > 20
    assert ends["SuiteError"] > 20


def test_mutated_records(
    times: Callable[[int, int], int], sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line alone, then the rows that are left in folders of two hundred through every command that reads them."""
    lines = sample.read_text().splitlines()
    lines = [line for line in lines if len(line) < 3000] * 2 + lines
    file = tmp_path / "records.jsonl"
    kept: list[bytes] = []

    def attempt(text: str) -> str:
        line = " ".join(text.splitlines()).encode(errors="surrogatepass")
        file.write_bytes(line + b"\n")
        found = records.read(file)
        kept.append(line)
        return "left out" if found.warnings else "a row"

    ends = tried(mutated_rows(lines, times(600, 10_000), SEED), attempt)
    assert ends["a row"] > 50
    assert ends["left out"] > 50
    for start in range(0, len(kept), 300):
        folder = tmp_path / f"folder-{start}"
        (folder / "duals").mkdir(parents=True)
        for dual in DUALS.iterdir():
            (folder / "duals" / dual.name).symlink_to(dual)
        (folder / "records.jsonl").write_bytes(b"\n".join([*kept[start : start + 300], sample.read_bytes()]))
        found = records.read(folder)
        EndedAtLimits(found.cases)
        wide_console().print(summary_table(found.cases))
        tried(iter([str(folder)]), lambda text: str(reports.build([Path(text)], tmp_path / "report").page))
        for command in (["verify", str(folder)], ["compare", str(folder), str(sample), "--any-environment"]):
            tried(iter([json.dumps(command)]), lambda text: str(invoke(json.loads(text))))
    capsys.readouterr()


def test_mutated_command_lines(
    times: Callable[[int, int], int], sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def too_long(*_: Any, **__: Any) -> NoReturn:
        raise InputError("this would take minutes")

    for name in ("harness.runner.run_suite", "harness.scaling.series.launch", "harness.trust.conformance.examine"):
        monkeypatch.setattr(name, too_long)
    monkeypatch.setattr("reports.build", too_long)
    monkeypatch.setattr("harness.scaling.plan.edges_per_second", lambda *_, **__: 1e8)
    place = tmp_path / "a" / "b" / "c"  # what leads out of it by ../.. stays in tmp_path
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    ends: Counter[int] = Counter()
    before = sample.read_bytes()

    def attempt(text: str) -> str:
        words = [str(sample) if word == "SAMPLE" else word for word in text.split(" ")]
        if words[0] in ("run", "scale", "generate", "report", "new-solver"):
            words += ["--out", f"out-{sum(ends.values())}"]
        status = invoke(words)
        errors = capsys.readouterr().err
        assert status in (0, 1, 2), errors
        assert errors.count("\n") == (status == 2), errors
        assert errors.startswith("dualbench: ") == (status == 2)
        ends[status] += 1
        return str(status)

    texts = mutated(COMMANDS, times(1500, 10_000), SEED)
    # a NUL cannot stand in an argument, and half a surrogate only where it came from an undecodable byte
    tried((text.replace("\0", "").replace("\ud800", "\udcff") for text in texts), attempt)
    assert ends[0] > 20
    assert ends[2] > 200
    assert sample.read_bytes() == before
