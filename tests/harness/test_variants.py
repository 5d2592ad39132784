"""One solver under several names in one suite: its own options, its own cases, and the division that they belong to."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness import records
from harness.cli import invoke
from harness.division import Division, division_of
from harness.folder import missing_cases, open_folder
from harness.runner import EndedAtLimits, run_suite
from harness.suite import Suite, SuiteError
from harness.suite_file import parse_suite
from harness.summary import summary_table
from harness.trust.compare import compare
from tests.support.records import Silent

SPEC = "unit:sources=60,destinations=5,degree=3,seed=1"
SUITE = f"""
instances = ["{SPEC}"]
tolerances = [1e-2, 1e-4]
threads = 1
time_limit = 20.0
"""
VARIANTS = """
[[solvers]]
id = "ortools-pdlp"
[[solvers]]
id = "ortools-pdlp"
name = "pdlp-strict"
iteration_limit = 5000
options = { eps_factor = 0.01 }
"""


def suite(text: str = VARIANTS) -> Suite:
    return parse_suite("mine", (SUITE + text).encode())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("variants") / "out"
    run_suite(suite(), open_folder(suite(), path, resume=False), Silent(), in_process=True)
    return path


def rows(folder: Path) -> list[dict[str, Any]]:
    return records.read(folder).cases


def test_a_variant_has_its_options_and_limit_and_the_plain_solver_keeps_its_defaults() -> None:
    asked = {(case.solver, case.variant, str(case.settings.options)) for case in suite().cases()}
    assert asked == {("ortools-pdlp", "", "{}"), ("pdlp-strict", "pdlp-strict", "{'eps_factor': 0.01}")}
    assert {case.settings.iteration_limit for case in suite().cases() if case.variant} == {5000}
    assert {case.card.id for case in suite().cases()} == {"ortools-pdlp"}
    assert len({case.id for case in suite().cases()}) == 4


def test_names_and_tables_stand_in_one_list() -> None:
    text = 'solvers = ["scipy-highs-ds", { id = "ortools-pdlp", name = "strict", options = { eps_factor = 0.5 } }]'
    assert suite(text).solvers == ("scipy-highs-ds", "strict")


def test_a_record_names_the_variant_and_its_division(finished: Path) -> None:
    named = {(row["solver"], row["variant"], row["division"]) for row in rows(finished)}
    assert named == {("ortools-pdlp", "", "default"), ("ortools-pdlp", "pdlp-strict", "tuned")}
    assert len({row["dual_file"] for row in rows(finished)}) == 4


def test_variants_are_verified_and_a_division_that_the_options_refute_is_found(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["verify", str(finished)]) == 0
    (tmp_path / "duals").symlink_to(finished / "duals")
    text = (finished / "records.jsonl").read_text().replace('"division":"tuned"', '"division":"default"')
    (tmp_path / "records.jsonl").write_text(text)
    capsys.readouterr()
    assert invoke(["verify", str(tmp_path)]) == 1
    assert "division is 'default', its options make it 'tuned'" in capsys.readouterr().out


def test_resuming_takes_each_variant_for_itself(finished: Path, tmp_path: Path) -> None:
    kept = [row for row in rows(finished) if row["variant"] == ""]
    lines = [json.dumps(row) for row in (*records.read(finished).runs, *kept)]
    (tmp_path / "records.jsonl").write_text("\n".join(lines) + "\n")
    folder = open_folder(suite(), tmp_path, resume=True)
    assert {case.variant for case in missing_cases(suite(), folder)} == {"pdlp-strict"}


def test_a_variant_that_ended_at_its_limit_ends_no_other_one() -> None:
    plain, strict = (next(case for case in suite().cases() if case.solver == name) for name in suite().solvers)
    settings = {**records.as_plain(strict.settings.__dict__)}
    row = {"instance": SPEC, "solver": "ortools-pdlp", "settings": settings, "repeat": 0, "status": "time_limit"}
    assert EndedAtLimits([row]).implied(strict) is not None
    assert EndedAtLimits([row]).implied(plain) is None


def test_compare_takes_a_variant_for_a_solver_of_its_own(finished: Path) -> None:
    file = records.read(finished)
    found = compare(file, file)
    assert not found.different
    assert {ratio.solver for ratio in found.ratios} == {"ortools-pdlp", "pdlp-strict"}
    assert len(found.ratios) == 4


def test_an_override_names_a_variant_and_the_id_means_the_plain_solver() -> None:
    only = {name: suite().override(solvers=(name,)) for name in ("pdlp-strict", "ortools-pdlp")}
    asked = {name: {case.variant for case in chosen.cases()} for name, chosen in only.items()}
    assert asked == {"pdlp-strict": {"pdlp-strict"}, "ortools-pdlp": {""}}


def test_the_table_of_a_run_has_a_row_for_each(finished: Path) -> None:
    console = Console(file=StringIO(), width=160)
    console.print(summary_table(rows(finished)))
    assert isinstance(console.file, StringIO)
    assert {"ortools-pdlp", "pdlp-strict"} <= set(console.file.getvalue().split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[solvers]]\nname = "x"', "lacks its id"),
        ('[[solvers]]\nid = "ortools-pdlp"\nnames = "x"', "unknown key 'names', allowed are id, name, options"),
        ('[[solvers]]\nid = "ortools-pdlp"\nname = "scs"', "expected a word that is no solver's id"),
        ('[[solvers]]\nid = "ortools-pdlp"\nname = "a b"', "expected a word that is no solver's id"),
        (VARIANTS.replace("0.01", "[1]"), "option eps_factor"),
        (VARIANTS + VARIANTS, "lists 'ortools-pdlp' twice"),
        ("options = 5\n" + VARIANTS, "options=5 has the wrong type"),
        (VARIANTS.replace("5000", "'few'"), "iteration_limits are whole numbers"),
        (VARIANTS.replace("{ eps_factor = 0.01 }", "3"), "options are tables"),
        (VARIANTS.replace('"pdlp-strict"', "[1]"), "expected a word that is no solver's id"),
        ("solvers = [5]", "expected a list"),
        (
            VARIANTS.replace("options = { eps_factor = 0.01 }", "").replace("iteration_limit = 5000", ""),
            "asked the same",
        ),
        (VARIANTS + "[options.pdlp-strict]\neps_factor = 0.1", "options of pdlp-strict are given twice"),
        (VARIANTS + '[[exclude]]\ninstance = 5\nsolver = "pdlp-strict"\nreason = "x"', "exclude needs"),
    ],
)
def test_a_wrong_variant_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises((SuiteError, ValueError), match=message):
        suite(text)


def test_options_alone_make_the_tuned_division() -> None:
    assert division_of({"options": {}, "iteration_limit": 5, "threads": 2}) is Division.DEFAULT
    assert division_of({}) is Division.DEFAULT
    assert division_of({"options": {"presolve": True}}) is Division.TUNED
