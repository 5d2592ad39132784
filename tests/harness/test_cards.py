"""Adapters from outside: the harness reads their cards, never runs their code, and a broken one costs one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cards, records
from harness.cards import BrokenAdapterError, card, listing
from harness.cli import invoke
from harness.records import read
from instances import InputError, Kind
from solvers import registry
from solvers.registry import get_solver, load

ADAPTER = """
from dataclasses import dataclass
import numpy as np
from instances import Kind
from solvers import Answer, Availability, Solver, Status

@dataclass(frozen=True)
class Options:
    step: float = 0.5
    words: str | None = None
    table: tuple = ()

class Mine(Solver):
    id = "{id}"
    title = "Mine"
    citation = "me"
    devices = ("cpu", "cuda")
    exact = True
    bytes_per_edge = np.float32(50)
    polytopes = frozenset({{Kind.BOX}})
    nonzeros_limit = np.int64(7)
    Options = Options

    def available(self):
        {available}
        return Availability(ok=True, version="3")

    def prepare(self, lp, settings):
        return lp

    def run(self, lp):
        return Answer(x=np.zeros(lp.edges), dual=np.zeros(lp.destinations), status=Status.ITERATION_LIMIT)
"""
SPEC = "dualip:sources=100,destinations=10,degree=3,seed=1"


def adapter(solver_id: str = "mine", available: str = "pass") -> str:
    return ADAPTER.format(id=solver_id, available=available)


#: name: (the file, words of the line that says what is wrong)
BROKEN = {
    "lacks-a-library": ("import no_such_library\n" + adapter(), "ModuleNotFoundError: No module named"),
    "exits": ("raise SystemExit(0)", "cannot be loaded (SystemExit"),
    "ends-the-process": ("import os; os._exit(0)", "cannot be loaded"),
    "ends-it-badly": ("import os; os._exit(5)", "the process ended with exit status 5"),
    "kills-itself": ("import os; os.kill(os.getpid(), 9)", "the process was ended by SIGKILL"),
    "hangs": ("import time; time.sleep(3600)", "it took more than 3 s"),
    "is-interrupted": ("raise KeyboardInterrupt", "cannot be loaded (KeyboardInterrupt"),
    "raises-oddly": ("raise type('Odd', (Exception,), {'__str__': lambda e: 1 / 0})()", "cannot be loaded"),
    "is-empty": ("", "defines 0 concrete subclasses"),
    "floods": ("while True: print('x' * 10**6)", "it took more than 3 s"),
    "control-characters": (adapter("\\x1b[31mred"), "id is '\N{REPLACEMENT CHARACTER}[31mred': expected"),
    "bidirectional": (adapter("a\\u202eb"), "expected at most 64 printable characters"),
    "formula": (adapter("=1+1"), "the first a letter or a digit"),
    "too-long": (adapter("a" * 65), "expected at most 64 printable characters"),
    "of-ours": (adapter("blockpdhg"), "its id 'blockpdhg' is that of a solver of dualbench"),
    "no-devices": (adapter() + "    devices = ()\n", "Mine.devices must name at least one of cpu and cuda"),
    "no-polytopes": (
        adapter().replace("    polytopes = frozenset({Kind.BOX})\n", ""),
        "Mine.polytopes must name at least one of instances.Kind",
    ),
    "odd-polytopes": (
        adapter() + "    polytopes = frozenset({9})\n",
        "Mine.polytopes must name at least one of instances.Kind",
    ),
    "odd-rows": (adapter() + "    rows = frozenset({'magic'})\n", "Mine.rows must name kinds of instances.RowKind"),
    "negative-size": (adapter() + "    bytes_per_edge = -1.0\n", "Mine.bytes_per_edge must be a number >= 0"),
    "endless-size": (adapter() + "    bytes_per_edge = float('inf')\n", "Mine.bytes_per_edge must be a number >= 0"),
}
Distribution = Callable[..., None]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "SECONDS", 3.0)


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    """Installs a package of somebody else: name, text of its module, name of its entry point."""
    place = tmp_path / "site"
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH")])]))

    def install(name: str, text: str, *, point: str = "mine", attribute: str = "Mine") -> None:
        module = name.replace("-", "_")
        (place / module).mkdir(parents=True)
        (place / module / "__init__.py").write_text("")
        (place / module / "adapter.py").write_text(text)
        info = place / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        entry = f"[dualbench.solvers]\n{point} = {module}.adapter:{attribute}\n"
        (info / "entry_points.txt").write_text(entry)

    return install


def test_a_card_holds_what_the_class_declares(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(adapter())
    found = card(str(file))
    assert (found.id, found.devices, found.exact, found.bytes_per_edge) == ("mine", ("cpu", "cuda"), True, 50.0)
    assert (found.polytopes, found.nonzeros_limit, found.in_ranks) == (frozenset({Kind.BOX}), 7, False)
    assert {o.name: (o.types, o.default) for o in found.options} == {
        "step": (("float",), 0.5),
        "words": (("str", "NoneType"), None),
        "table": ((), "()"),
    }
    assert found.availability.version == "3"
    assert len(found.adapter_hash) == 64
    assert load(found).id == "mine"


def test_cards_of_our_own_solvers_say_what_their_classes_say() -> None:
    for solver_id, solver in registry().items():
        found = card(solver_id)
        assert (found.title, found.devices, found.streams) == (solver.title, solver.devices, solver.streams)
        assert (found.polytopes, found.rows) == (solver.polytopes, solver.rows)
    assert card("blockpdhg").in_ranks
    assert not card("highs-pdlp").in_ranks


@pytest.mark.parametrize("name", BROKEN)
def test_running_a_broken_adapter_is_bad_input(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, words = BROKEN[name]
    file = tmp_path / "broken.py"
    file.write_text(text)
    assert invoke(["run", "smoke", "--solver", str(file), "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert "broken.py" in line
    assert not (tmp_path / "out").exists()


def test_broken_distributions_cost_one_line_each_and_the_others_nothing(
    distribution: Distribution, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "SECONDS", 8.0)  # for all of them at once
    for name, (text, _) in BROKEN.items():
        if name != "is-empty":
            distribution(f"dist-{name}", text)
    distribution("dist-is-no-solver", "Mine = dict")
    distribution("dist-has-no-such-name", "", attribute="Nothing")
    distribution("dist-good", adapter("good-one"), point="any-name")
    distribution("dist-twice", adapter("good-one"), point="second")
    assert invoke(["solvers"]) == 0
    shown, errors = capfd.readouterr()
    assert not errors
    assert "good-one" in shown
    lines = [line for line in shown.splitlines() if "the distribution" in line]
    assert len(lines) == len(BROKEN) + 2
    for name, (_, words) in BROKEN.items():
        if name != "is-empty":
            (line,) = [line for line in lines if f"the distribution dist-{name} (entry point mine)" in line]
            assert words.replace("3 s", "8 s") in line
    (line,) = [line for line in lines if "dist-twice" in line]
    assert "its id 'good-one' is that of the distribution dist-good" in line
    assert "\x1b" not in shown


def test_a_solver_of_a_distribution_runs_beside_a_broken_one(distribution: Distribution, tmp_path: Path) -> None:
    distribution("a-broken-one", BROKEN["ends-the-process"][0])
    distribution("good", adapter("good-one"), point="another-name")
    chosen = ["--solver", "good-one", "--solver", "scipy-highs-ds", "--instance", SPEC, "--tolerance", "1e-2"]
    assert invoke(["run", "smoke", *chosen, "--out", str(tmp_path / "out")]) == 0
    rows = {row["solver"]: row["status"] for row in read(tmp_path / "out").cases}
    assert rows["scipy-highs-ds"] == "solved"
    assert rows["good-one"] in ("skipped", "iteration_limit")


def test_a_broken_distribution_is_named_where_its_solver_is_asked_for(distribution: Distribution) -> None:
    distribution("a-broken-one", BROKEN["lacks-a-library"][0], point="wanted")
    with pytest.raises(BrokenAdapterError, match=r"a-broken-one.*No module named 'no_such_library'"):
        card("wanted")
    with pytest.raises(InputError, match=r"unknown solver 'other'.*left out: the distribution a-broken-one"):
        card("other")


def test_no_process_is_started_for_solvers_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "run", started)
    assert set(listing().cards) == set(registry())
    assert card("dualip").id == "dualip"


MEDDLER = """
import harness.records, harness.referee, time
harness.records.append = harness.records.read = harness.referee.certify = time.perf_counter = None
"""


def test_an_adapter_that_patches_the_harness_leaves_it_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "meddler.py"
    file.write_text(MEDDLER + adapter("meddler", "import harness.records; harness.records.append = None"))
    before = (records.append, records.read)
    arguments = ["--solver", str(file), "--instance", SPEC, "--tolerance", "1e-2", "--out", str(tmp_path / "out")]
    assert invoke(["run", "smoke", *arguments]) == 0
    assert (records.append, records.read) == before
    assert not [name for name in sys.modules if "meddler" in name]
    (row,) = read(tmp_path / "out").cases
    assert row["solver"] == "meddler"


@pytest.mark.parametrize(
    ("available", "words"),
    [
        ("raise SystemExit", "available() raised SystemExit"),
        ("import os; os._exit(0)", "available(): "),
        ("import time; time.sleep(3600)", "available(): it took more than 3 s"),
        ("return 'a\\x1b' * 10**5", "available() a"),
        ("return Availability(ok=True, version=5)", ""),
        ("return Availability(ok=1, version='\\x1b]0;x\\x07' * 1000)", ""),
    ],
)
def test_an_availability_of_any_kind_is_a_row(available: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(adapter(available=available))
    arguments = ["--solver", str(file), "--instance", SPEC, "--tolerance", "1e-2", "--out", str(tmp_path / "out")]
    assert invoke(["run", "smoke", *arguments]) == 0
    (row,) = read(tmp_path / "out").cases
    assert words in row["reason"]
    assert (row["reason"] + row["solver_version"]).isprintable()


def test_an_edited_file_is_described_and_loaded_again(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(adapter("first"))
    first = card(str(file))
    assert get_solver(str(file)).id == "first"
    file.write_text(adapter("second"))
    second = card(str(file))
    assert second.id == get_solver(str(file)).id == "second"
    assert first.adapter_hash != second.adapter_hash
    with pytest.raises(InputError, match="has changed since this run began"):
        load(first)


def test_a_file_named_like_a_library_does_not_take_its_place(tmp_path: Path) -> None:
    file = tmp_path / "json.py"
    file.write_text("import json\nassert json.loads('1') == 1\n" + adapter())
    assert get_solver(str(file)).id == card(str(file)).id == "mine"
    assert hasattr(sys.modules["json"], "loads")


def test_a_file_that_works_in_ranks_is_known_by_its_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs, alone = tmp_path / "theirs.py", tmp_path / "alone.py"
    theirs.write_text("from solvers.blockpdhg import BlockPDHG\n\nclass Theirs(BlockPDHG):\n    id = 'theirs'\n")
    alone.write_text(adapter("alone"))
    assert card(str(theirs)).in_ranks
    spec = "dualip:sources=2000,destinations=10,degree=3,seed=1"
    assert invoke(["plan", spec, "--solver", str(theirs), "--ranks", "1"]) == 2
    assert "plan knows what the solvers of dualbench need, not theirs of" in capsys.readouterr().err
    out = str(tmp_path / "out")
    assert invoke(["scale", spec, "--solver", str(alone), "--ranks", "1", "--out", out]) == 2
    assert "works in one process only" in capsys.readouterr().err
    assert not [name for name in sys.modules if "_theirs_" in name or "_alone_" in name]
