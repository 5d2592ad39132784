"""Suites: validated key by key, and expanded into cases in a fair order."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.suite import SuiteError
from harness.suite_file import load_suite, parse_suite, suite_names
from instances import InputError

GOOD = """
instances = ["unit-5k", "dualip:sources=100,destinations=10,degree=3,seed=1"]
solvers = ["ortools-pdlp", "scipy-highs-ds"]
tolerances = [1e-2, 1e-4]
repeats = 2
"""


def test_cases_interleave_solvers_and_run_exact_ones_once_at_the_tightest_tolerance() -> None:
    cases = [c for c in parse_suite("s", GOOD.encode()).cases() if c.instance == "unit-5k"]
    order = [(c.repeat, c.settings.tolerance, c.solver) for c in cases]
    one = [(1e-2, "ortools-pdlp"), (1e-4, "ortools-pdlp"), (1e-4, "scipy-highs-ds")]
    assert order == [(repeat, *rest) for repeat in (0, 1) for rest in one]


def test_every_solver_gets_the_same_threads_and_limit() -> None:
    settings = [c.settings for c in parse_suite("s", (GOOD + "threads = 2\ntime_limit = 3").encode()).cases()]
    assert {(s.threads, s.time_limit) for s in settings} == {(2, 3.0)}


def test_an_iteration_limit_reaches_its_solver_alone() -> None:
    cases = parse_suite("s", (GOOD + "[iteration_limits]\nortools-pdlp = 5").encode()).cases()
    assert {(c.solver, c.settings.iteration_limit) for c in cases} == {("ortools-pdlp", 5), ("scipy-highs-ds", None)}


def test_case_ids_are_unique_and_change_with_what_the_answer_depends_on() -> None:
    suite = parse_suite("s", GOOD.encode())
    ids = [c.id for c in suite.cases()]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & {c.id for c in suite.override(threads=7).cases()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("tolerence = 1", "unknown key 'tolerence', allowed are instances, solvers"),
        ("repeats = 'two'", "repeats='two': expected a whole number or 'auto'"),
        ("repeats = 0", "repeats=0"),
        ("device = 'tpu'", "expected cpu or cuda"),
        ("time_limit = -1", "time_limit=-1: expected seconds > 0"),
        ("[options.ortools-pdlp]\nepsilon = 1", "unknown option 'epsilon': known options and defaults are eps_factor"),
        ("[options.nosuch]\nx = 1", "unknown solver 'nosuch'"),
        ("[iteration_limits]\nortools-pdlp = 0", "iteration_limit=0: expected a whole number > 0"),
        ("[iteration_limits]\nortools-pdlp = 'few'", "iteration_limits are whole numbers"),
        ("[[exclude]]\ninstance = 'unit-5k'", "exclude needs the texts instance, solver, reason"),
        ("[[exclude]]\ninstance = []\nsolver = 'scs'\nreason = 'slow'", "exclude needs the texts instance, solver"),
        ("[[exclude]]\ninstance = [5]\nsolver = 'scs'\nreason = 'slow'", "exclude needs the texts instance, solver"),
        ("repeats = ", "is not TOML"),
        ("machines = 3", "machines=3: expected a table with price_per_hour"),
        ("[machines]\nprice = 3", "unknown key 'price', allowed are price_per_hour"),
        ("[machines]\nprice_per_hour = 'dear'", "price_per_hour='dear': expected dollars"),
        (f"[machines]\nprice_per_hour = {10**400}", "price_per_hour is too large"),
        ("[machines]\nprice_per_hour = -1", "price_per_hour=-1.0: expected dollars >= 0"),
    ],
)
def test_a_wrong_suite_says_what_is_wrong(change: str, message: str) -> None:
    text = "\n".join(line for line in GOOD.splitlines() if not (change.startswith("repeats") and "repeats" in line))
    with pytest.raises(InputError, match=message):
        parse_suite("s", f"{text}\n{change}\n".encode())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"unit-5k"', '"unit-6k"', "unknown instance 'unit-6k'"),
        ('"unit-5k"', '"unit:sources=0,destinations=1"', "sources=0"),
        ('"ortools-pdlp"', '"pdlp"', "unknown solver 'pdlp'"),
        ("1e-2", "2.0", "expected a number between 0 and 1"),
        ("[1e-2, 1e-4]", "[]", "tolerances is empty"),
        ("[1e-2, 1e-4]", "1e-2", "expected a list"),
        ("tolerances = [1e-2, 1e-4]", "", "lacks tolerances"),
    ],
)
def test_wrong_values_in_lists_say_what_is_wrong(old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_suite("s", GOOD.replace(old, new).encode())


@pytest.mark.parametrize("name", suite_names())
def test_every_suite_of_the_package_is_valid_and_has_cases(name: str) -> None:
    assert list(load_suite(name).cases())


def test_a_suite_can_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD)
    assert load_suite(str(file)).name == "mine"
    with pytest.raises(SuiteError, match="no suite file"):
        load_suite(str(tmp_path / "other.toml"))
    with pytest.raises(SuiteError, match="unknown suite 'nope': use one of"):
        load_suite("nope")


MINE = """
from solvers import EXPLICIT_KINDS, Answer, Availability, Solver

class Mine(Solver):
    id = title = citation = "subgradient"
    bytes_per_edge = 50.0
    polytopes = EXPLICIT_KINDS

    def available(self):
        return Availability(ok=True, version="1")

    def prepare(self, lp, settings):
        raise NotImplementedError

    def run(self, lp):
        raise NotImplementedError
"""


def test_lists_leave_out_every_instance_with_every_solver() -> None:
    text = GOOD + '[[exclude]]\ninstance = ["unit-5k", "slots-5k"]\nsolver = ["ortools-pdlp", "scs"]\nreason = "slow"'
    suite = parse_suite("s", text.encode())
    assert {(c.instance, c.solver) for c in suite.cases() if suite.excluded(c)} == {("unit-5k", "ortools-pdlp")}
    assert len(suite.exclude) == 4


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "mysub.py"
    file.write_text(MINE)
    return file


@pytest.mark.parametrize("key", ["subgradient", "{file}", "{folder}/../{name}/mysub.py"])
def test_a_file_is_named_by_its_path_or_by_the_id_that_it_gives_itself(key: str, mine: Path) -> None:
    key = key.format(file=mine, folder=mine.parent, name=mine.parent.name)
    text = GOOD.replace('"ortools-pdlp"', f'"{mine}"') + f'[iteration_limits]\n"{key}" = 300\n'
    text += f'[[exclude]]\ninstance = "unit-5k"\nsolver = "{key}"\nreason = "slow"'
    suite = parse_suite("s", text.encode())
    cases = list(suite.cases())
    assert {(c.card.id, c.settings.iteration_limit) for c in cases} == {("subgradient", 300), ("scipy-highs-ds", None)}
    assert {c.card.id for c in cases if suite.excluded(c)} == {"subgradient"}
    assert suite.override(solvers=("subgradient",)).solvers == (str(mine),)
    assert suite.override(solvers=("scipy-highs-ds",)).solvers == ("scipy-highs-ds",)


def test_two_entries_for_one_solver_are_refused(mine: Path) -> None:
    text = GOOD.replace('"ortools-pdlp"', f'"{mine}"')
    twice = f'[iteration_limits]\nsubgradient = 3\n"{mine}" = 4'
    with pytest.raises(SuiteError, match=r"iteration_limits of .*mysub.py are given twice, as subgradient and"):
        parse_suite("s", (text + twice).encode())
    other = mine.with_name("other.py")
    other.write_text(MINE)
    with pytest.raises(SuiteError, match="both call themselves 'subgradient': rename one"):
        parse_suite("s", text.replace('"scipy-highs-ds"', f'"{other}"').encode())


def test_an_option_of_a_file_is_checked_by_what_it_declares(mine: Path) -> None:
    text = GOOD.replace('"ortools-pdlp"', f'"{mine}"') + "[options.subgradient]\nstep = 1"
    with pytest.raises(InputError, match="unknown option 'step': known options and defaults are none"):
        parse_suite("s", text.encode())
    with pytest.raises(SuiteError, match=r"no solver file at mysbu.py"):
        parse_suite("s", (GOOD + '[iteration_limits]\n"mysbu.py" = 3').encode())
