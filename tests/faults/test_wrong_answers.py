"""Adapters that answer nonsense, each a file of its own: every one costs one row that says what it did wrong."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness import records
from harness.case import Case
from harness.cli import invoke
from harness.recording import case_record
from harness.records import read
from harness.solve import execute
from instances import MatchingLP, generate, parse_spec
from solvers import Settings, get_solver

Command = Callable[..., subprocess.Popen[str]]
SPEC = "dualip:sources=100,destinations=10,degree=3,seed=1"
ADAPTER = """
import sys
import numpy as np
from solvers import EXPLICIT_KINDS, Answer, Availability, Settings, Solver, Status, TracePoint

class Wrong(Solver):
    id = title = citation = "wrong-{name}"
    bytes_per_edge = 50.0
    polytopes = EXPLICIT_KINDS

    def available(self):
        return Availability(ok=True, version="1")

    def prepare(self, lp, settings):
        return lp

    def run(self, lp):
        x, dual, status, more = np.zeros(lp.edges), np.zeros(lp.destinations), Status.ITERATION_LIMIT, {{}}
        {does}
        return Answer(x=x, dual=dual, status=status, **more)
"""
#: name: (what run does, status of the row, words of its reason)
WRONG = {
    "x-of-a-wrong-shape": ("x, status = np.zeros(3), Status.SOLVED", "inaccurate", "x is float64[3]: expected"),
    "x-of-two-dimensions": ("x, status = np.zeros((lp.edges, 1)), Status.SOLVED", "inaccurate", "x is float64["),
    "dual-of-a-wrong-shape": ("dual, status = np.zeros(lp.edges), Status.SOLVED", "inaccurate", "dual is float64["),
    "dual-as-a-list": ("dual, status = [0.0] * lp.destinations, Status.SOLVED", "inaccurate", "the certified gap is"),
    "x-of-objects": ("x, status = np.array([object()] * lp.edges), Status.SOLVED", "inaccurate", "x is object["),
    "x-of-texts": ("x, status = ['a'] * lp.edges, Status.SOLVED", "inaccurate", "x is <U1["),
    "x-complex": ("x, status = x + 1j, Status.SOLVED", "inaccurate", "x is complex128["),
    "x-ragged": ("x = [[1], [1, 2]]", "error", "x is no array: ValueError"),
    "x-nan": ("x[0], status = np.nan, Status.SOLVED", "inaccurate", "x has entries that are not finite"),
    "dual-inf": ("dual[0], status = np.inf, Status.SOLVED", "inaccurate", "dual has entries that are not finite"),
    "x-huge": ("x, status = x + 1e300, Status.SOLVED", "inaccurate", "certified"),
    "dual-huge": ("dual, status = dual + 1e300, Status.SOLVED", "inaccurate", "certified"),
    "dual-overflows": ("dual, status = dual + 1.7e308, Status.SOLVED", "inaccurate", "certified"),
    "dual-negative": ("dual, status = dual - 1, Status.SOLVED", "inaccurate", "the certified gap is"),
    "claims-a-wrong-optimum": ("status = Status.SOLVED", "inaccurate", "claimed 0.0001, the certified gap is"),
    "claims-it-by-a-text": ("status = 'solved'", "inaccurate", "claimed 0.0001, the certified gap is"),
    "status-unknown": ("status = 'optimal'", "error", "status 'optimal', expected one of error, infeasible"),
    "status-none": ("status = None", "error", "status None, expected one of"),
    "status-of-the-harness": ("status = Status.SKIPPED", "error", "expected one of"),
    "no-dual": ("dual, status = None, Status.SOLVED", "inaccurate", "dual is missing"),
    "no-x": ("x, status = None, Status.SOLVED", "inaccurate", "x is missing"),
    "none": ("return None", "error", "AnswerError: run returned NoneType, expected an Answer"),
    "a-tuple": ("return x, dual", "error", "AnswerError: run returned tuple, expected an Answer"),
    "iterations-of-texts": ("more['iterations'] = 'many'", "error", "iterations 'many', expected a whole number"),
    "trace-of-texts": ("more['trace'] = ['start']", "error", "trace has 'start', expected TracePoints"),
    "trace-of-nothing": ("more['trace'] = None", "error", "TypeError"),
    "raises": ("raise RuntimeError('two' + chr(10) + 'lines')", "error", "RuntimeError: two lines"),
    "raises-oddly": ("raise type('Odd', (Exception,), {'__str__': lambda e: 1 / 0})()", "error", "Odd"),
    "exits": ("sys.exit(0)", "error", "SystemExit: 0"),
    "no-memory": ("raise MemoryError", "memory_limit", "MemoryError"),
    "changes-costs": ("lp.c[:], status = 0, Status.SOLVED", "error", "the solver wrote into c of the instance"),
    "sorts-coefficients": ("lp.a.sort()", "error", "the solver wrote into a of the instance"),
    "widens-budgets": ("lp.b[:], status = lp.b * 2, Status.SOLVED", "error", "the solver wrote into b of the instance"),
    "prints": ("print('x' * 100000); print('y', file=sys.stderr)", "iteration_limit", ""),
}
SLOW_WAY = ("x-nan", "status-unknown", "none", "exits", "prints")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("adapters")
    for name, (does, _, _) in WRONG.items():
        (place / f"wrong_{name.replace('-', '_')}.py").write_text(ADAPTER.format(name=name, does=does))
    return place


def adapter(folder: Path, name: str) -> str:
    return str(folder / f"wrong_{name.replace('-', '_')}.py")


@pytest.fixture
def lp() -> MatchingLP:
    return generate(parse_spec(SPEC))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # sums of 1e300 overflow, and certify nothing
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_a_row_with_the_reason(folder: Path, lp: MatchingLP, name: str, tmp_path: Path) -> None:
    _, status, words = WRONG[name]
    settings = Settings(tolerance=1e-4)
    result = execute(lp, get_solver(adapter(folder, name)), settings)
    assert result.status == status
    assert words in result.reason
    assert "\n" not in result.reason
    if result.proved_dual is not None:
        assert result.proved_dual.dtype == np.float64
        assert result.proved_dual.shape == (lp.destinations,)
    case = Case(suite="s", instance=SPEC, spec=SPEC, solver=adapter(folder, name), settings=settings)
    records.append(tmp_path / "records.jsonl", case_record(case, result, environment="e"))


def test_in_a_run_they_cost_one_row_each_and_the_others_nothing(command: Command, folder: Path, tmp_path: Path) -> None:
    chosen = [word for name in SLOW_WAY for word in ("--solver", adapter(folder, name))]
    process = command(
        "run", "smoke", "--instance", SPEC, "--tolerance", "1e-4", "--out", str(tmp_path / "out"),
        *chosen, "--solver", "scipy-highs-ds",
    )  # fmt: skip
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    found = read(tmp_path / "out")
    assert found.warnings == []
    expected = {f"wrong-{name}": WRONG[name][1] for name in SLOW_WAY} | {"scipy-highs-ds": "solved"}
    assert {row["solver"]: row["status"] for row in found.cases} == expected
    for name in SLOW_WAY:
        (row,) = [row for row in found.cases if row["solver"] == f"wrong-{name}"]
        assert WRONG[name][2] in row["reason"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def", "cannot be loaded (SyntaxError"),
        ("1 / 0", "cannot be loaded (ZeroDivisionError"),
        ("import sys; sys.exit(3)", "cannot be loaded (SystemExit"),
        ("", "defines 0 concrete subclasses"),
        (
            ADAPTER.format(name="a", does="").replace("bytes_per_edge = 50.0", "bytes_per_edge = '5'"),
            "must be a number",
        ),
        (ADAPTER.format(name="a", does="").replace('"wrong-a"', "3"), "Wrong.id must be a text"),
        (ADAPTER.format(name="a", does="") + "    Options = 3\n", "Options must be a dataclass"),
    ],
)
def test_a_file_that_is_no_adapter_is_bad_input(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text(text)
    assert invoke(["run", "smoke", "--solver", str(tmp_path / "mine.py"), "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("available", "words"),
    [("raise OSError('no library')", "available() raised OSError: no library"), ("return True", "available() True")],
)
def test_an_availability_that_fails_skips_the_case(available: str, words: str, tmp_path: Path) -> None:
    text = ADAPTER.format(name="a", does="").replace('return Availability(ok=True, version="1")', available)
    (tmp_path / "mine.py").write_text(text)
    chosen = ["--solver", str(tmp_path / "mine.py"), "--instance", SPEC, "--tolerance", "1e-4"]
    assert invoke(["run", "smoke", *chosen, "--out", str(tmp_path / "out")]) == 0
    (row,) = read(tmp_path / "out").cases
    assert row["status"] == "skipped"
    assert words in row["reason"]
