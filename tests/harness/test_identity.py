"""Identity is content: changed data, a changed adapter or other settings make another case, another path does not."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from harness import records
from harness.arrays import array_hash
from harness.case import Case
from harness.cli import invoke
from harness.folder import open_folder
from harness.runner import run_suite
from harness.suite_file import load_suite
from instances import content_hash, generate, parse_spec, read_parquet, write_parquet
from reports.load import load
from solvers import Settings
from tests.support.records import Silent

SPEC = "unit:sources=200,destinations=10,degree=4,seed={}"
ADAPTER = """
import numpy as np
from solvers import EXPLICIT_KINDS, Answer, Availability, Solver, Status

class Mine(Solver):
    id, title, citation, bytes_per_edge = "mine", "mine", "mine", 8.0
    polytopes = EXPLICIT_KINDS

    def available(self):
        return Availability(ok=True, version="1")

    def prepare(self, lp, settings):
        return lp

    def run(self, lp):
        return Answer(x=np.zeros(lp.edges), dual=np.full(lp.destinations, 10.0), status=Status.SOLVED)
"""


def data(folder: Path, seed: int) -> None:
    spec = parse_spec(SPEC.format(seed))
    shutil.rmtree(folder, ignore_errors=True)
    write_parquet(generate(spec), folder, spec.text)


def suite(folder: Path, *instances: Path, solvers: str = '["scipy-highs-ds"]') -> str:
    file = folder / "mine.toml"
    named = json.dumps([f"parquet:path={path}" for path in instances])
    file.write_text(f"instances = {named}\nsolvers = {solvers}\ntolerances = [1e-4]\nthreads = 1\ntime_limit = 20.0\n")
    return str(file)


def run(suite_file: str, out: Path, *, resume: bool = False, keep_x: bool = False) -> tuple[str, ...]:
    """As `dualbench run`, in this process and without a report; the lines that it would say."""
    chosen = load_suite(suite_file)
    folder = open_folder(chosen, out, resume=resume)
    run_suite(chosen, folder, Silent(), in_process=True, keep_x=keep_x)
    return folder.warnings


def test_data_that_were_replaced_are_solved_again_and_the_old_row_gives_way(tmp_path: Path) -> None:
    out = tmp_path / "out"
    data(tmp_path / "data", 1)
    text = suite(tmp_path, tmp_path / "data", solvers='["scipy-highs-ds", "ortools-glop"]')
    run(text, out)
    first = records.read(out).cases
    assert {row["content_hash"] for row in first} == {content_hash(read_parquet(tmp_path / "data"))}
    assert run(text, out, resume=True) == ()
    assert len((out / "records.jsonl").read_text().splitlines()) == 4
    data(tmp_path / "data", 2)
    (line,) = run(text, out, resume=True)
    assert "2 cases are run again: the data of parquet:path=" in line
    second = records.read(out).cases
    assert len(second) == 2
    assert {row["content_hash"] for row in second} == {content_hash(read_parquet(tmp_path / "data"))}
    assert len(load([out]).cases["instance"].unique()) == 1
    assert invoke(["verify", str(out)]) == 0


def test_an_adapter_that_was_edited_is_run_again(tmp_path: Path) -> None:
    out, adapter = tmp_path / "out", tmp_path / "mine.py"
    adapter.write_text(ADAPTER)
    data(tmp_path / "data", 1)
    text = suite(tmp_path, tmp_path / "data", solvers=json.dumps([str(adapter), "scipy-highs-ds"]))
    run(text, out)
    before = {row["solver"]: row["adapter_hash"] for row in records.read(out).cases}
    assert len(before["mine"]) == 64
    assert before["scipy-highs-ds"] == ""
    adapter.write_text(ADAPTER.replace("10.0", "20.0"))
    (line,) = run(text, out, resume=True)
    assert "1 cases are run again: the adapter" in line
    after = {row["solver"]: row["adapter_hash"] for row in records.read(out).cases}
    assert after["mine"] not in ("", before["mine"])


def test_the_same_data_in_two_places_are_one_instance_with_the_shorter_name(tmp_path: Path) -> None:
    data(tmp_path / "d", 1)
    data(tmp_path / "a-copy-elsewhere", 1)
    data(tmp_path / "other", 2)
    places = [tmp_path / name for name in ("a-copy-elsewhere", "d", "other")]
    run(suite(tmp_path, *places), tmp_path / "out")
    shutil.rmtree(tmp_path / "a-copy-elsewhere")
    assert invoke(["verify", str(tmp_path / "out")]) == 0  # the other place has the same content
    cases = load([tmp_path / "out"]).cases
    assert set(cases["instance"]) == {f"parquet:path={tmp_path}/d", f"parquet:path={tmp_path}/other"}


def test_tolerances_alike_in_six_digits_are_two_cases_and_short_ones_keep_their_names() -> None:
    case = Case(suite="s", instance="i", spec=SPEC.format(1), solver="scipy-highs-ds", settings=Settings(time_limit=20))
    assert case.id == "i|scipy-highs-ds|0.0001|cpu|1t|20s|r0"  # as every version wrote it
    close = replace(case, settings=replace(case.settings, tolerance=1.0000001e-4))
    longer = replace(case, settings=replace(case.settings, time_limit=20.0000001))
    assert len({case.id, close.id, longer.id}) == 3


def test_a_row_of_a_close_tolerance_does_not_stand_for_the_case_whose_name_it_has(tmp_path: Path) -> None:
    """Versions before schema 2 gave both the same name."""
    data(tmp_path / "data", 1)
    out, text = tmp_path / "out", suite(tmp_path, tmp_path / "data")
    run(text, out)
    file = out / "records.jsonl"
    file.write_text(file.read_text().replace('"tolerance":0.0001', '"tolerance":0.00010000001'))
    (line,) = run(text, out, resume=True)
    assert "tolerance of scipy-highs-ds is another" in line
    duals = {row["settings"]["tolerance"]: row["dual_file"] for row in records.read(out).cases}
    assert len(set(duals.values())) == 2


def test_x_is_kept_where_asked_for_and_its_hash_always_is(tmp_path: Path) -> None:
    data(tmp_path / "data", 1)
    text = suite(tmp_path, tmp_path / "data")
    run(text, tmp_path / "a")
    assert invoke(["run", text, "--in-process", "--out", str(tmp_path / "b"), "--keep-x"]) == 0
    ((bare,), (kept,)) = (records.read(tmp_path / name).cases for name in "ab")
    assert bare["x_file"] is None
    assert not (tmp_path / "a" / "x").exists()
    x = np.load(tmp_path / "b" / kept["x_file"])
    assert x.shape == (kept["edges"],)
    assert array_hash(x) == kept["x_hash"] == bare["x_hash"]


def test_the_hash_of_an_array_is_of_its_numbers_and_their_type() -> None:
    x = np.arange(5.0)
    assert array_hash(x) == array_hash(x.copy())
    assert len({array_hash(x), array_hash(x.astype(np.float32)), array_hash(x.reshape(1, 5)), array_hash(x + 1)}) == 4
    assert array_hash(np.array([object()])) is None
