"""A run over ranks is judged by the referee as any run is: what a solver says of itself is a claim."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import numpy as np
import pytest

from harness import records
from harness.cli import invoke
from harness.referee import certify
from harness.scaling.assembled import assemble
from harness.scaling.judge import CASE, RESULT, X, judged
from harness.scaling.sharded import ShardedCase
from instances import MatchingLP, Rows, content_hash, generate, parse_spec, write_parquet
from solvers import Settings, get_solver
from solvers.engine.collectives import LOCAL

SPEC = "dualip:sources=33000,destinations=20,degree=3,seed=5"
SMALL = "dualip:sources=300,destinations=10,degree=4,seed=5"
LIAR = """
import numpy as np
from solvers import Answer, Availability, Status
from solvers.sharded import ShardedSolver

class Liar(ShardedSolver):
    id, title, citation, bytes_per_edge = "liar", "liar", "none", 8.0

    def available(self):
        return Availability(ok=True, version="1")

    def prepare(self, lp, settings, context=None):
        return lp, context

    def run(self, state):
        lp, context = state
        context.certificate = {"dual_bound": -1.0, "feasible_objective": -1.0, "gap": 0.0}
        return Answer(x=np.zeros(lp.edges), dual=np.zeros(lp.destinations), status=Status.SOLVED, raw_status="gap 0")
"""


def test_a_solver_that_lies_on_its_ranks_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "liar.py").write_text(LIAR)
    command = ["scale", SPEC, "--solver", str(tmp_path / "liar.py"), "--ranks", "2", "--no-probe", "--strict"]
    assert invoke([*command, "--out", str(tmp_path / "out")]) == 1
    (row,) = records.read(tmp_path / "out").scaling
    assert (row["status"], row["claim"]) == ("inaccurate", "solved")
    assert row["certificate"]["certified_gap"] > 0.5
    assert row["reason"].startswith("claimed 0.0001, the certified gap is ")
    assert row["seconds"]["to_gap"] is None
    assert len(row["adapter_hash"]) == 64


@pytest.fixture
def answered(tmp_path: Path) -> Path:
    """A folder as rank 0 leaves it, with a good answer."""
    lp, solver = generate(parse_spec(SMALL)), get_solver("scipy-highs-ds")
    answer = solver.run(solver.prepare(lp, Settings()))
    assert answer.dual is not None
    case = ShardedCase(spec=SMALL, solver="blockpdhg", settings=Settings(), ranks=1)
    (tmp_path / CASE).write_text(case.text)
    result = {"status": "solved", "raw_status": "", "x": "", "dual": answer.dual.tolist(), "ray": None}
    (tmp_path / RESULT).write_text(json.dumps(result))
    assert assemble(LOCAL, answer.x, lp.edges, tmp_path / X) == ""
    return tmp_path


def change(folder: Path, **changes: object) -> None:
    file = folder / RESULT
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_the_judge_says_what_the_referee_says_of_the_whole(answered: Path) -> None:
    lp = generate(parse_spec(SMALL))
    found = judged(answered, 1)
    expected = certify(lp, np.load(answered / X), json.loads((answered / RESULT).read_text())["dual"])
    assert (found["status"], found["reason"]) == ("solved", "")
    assert found["certificate"]["certified_gap"] == expected.certified_gap
    assert found["content_hash"] == content_hash(lp)
    assert len(found["x_hash"]) == 64


def test_an_answer_without_x_or_of_a_wrong_length_certifies_nothing(answered: Path) -> None:
    change(answered, x="x of a rank is float64[3]: expected 5 numbers")
    found = judged(answered, 1)
    assert found["status"] == "inaccurate"
    assert "x of a rank is float64[3]" in found["reason"]
    change(answered, x="", dual=[1.0])
    assert judged(answered, 1)["status"] == "inaccurate"


def test_what_cannot_be_judged_is_not_called_solved(answered: Path) -> None:
    case = json.loads((answered / CASE).read_text())
    (answered / CASE).write_text(json.dumps(case | {"spec": f"parquet:path={answered}/nowhere"}))
    found = judged(answered, 1)
    assert (found["status"], found["certificate"]) == ("inaccurate", None)
    assert "not judged" in found["reason"]
    change(answered, status="time_limit", raw_status="time is up")
    assert judged(answered, 1)["status"] == "time_limit"


def with_floor(folder: Path, floor: float) -> str:
    """A stored LP in which each of 9 sources may place 1, and a row asks for `floor`; a spec of it."""
    rows = [Rows("most", row=np.arange(9) % 3, upper=np.full(3, 9.0)), Rows("floor", lower=floor)]
    write_parquet(MatchingLP(offsets=np.arange(10), c=-np.ones(9), rows=rows), folder / "lp", "by hand")
    return f"parquet:path={folder / 'lp'}"


@pytest.mark.parametrize(("floor", "status"), [(10.0, "infeasible"), (9.0, "inaccurate")])
def test_a_claim_that_no_x_is_feasible_is_judged_by_its_ray(answered: Path, floor: float, status: str) -> None:
    case = json.loads((answered / CASE).read_text())
    (answered / CASE).write_text(json.dumps(case | {"spec": with_floor(answered, floor)}))
    change(answered, status="infeasible", raw_status="a ray", x="no x", dual=None, ray=[0.0, 0.0, 0.0, -1.0])
    found = judged(answered, 1)
    assert found["status"] == status
    assert found["reason"].startswith("a ray" if status == "infeasible" else "claimed infeasible (a ray), nothing")


def test_a_point_near_its_rows_is_not_called_feasible(answered: Path) -> None:
    """No point is feasible: the floor asks for a millionth more than the source has."""
    case = json.loads((answered / CASE).read_text())
    rows = [Rows("floor", lower=[1 + 1e-6])]
    write_parquet(MatchingLP(offsets=[0, 1], c=np.ones(1), rows=rows), answered / "lp", "by hand")
    (answered / CASE).write_text(json.dumps(case | {"spec": f"parquet:path={answered / 'lp'}"}))
    np.save(answered / X, np.ones(1))
    change(answered, dual=[-1.0])
    found = judged(answered, 1)
    assert (found["status"], found["reason"]) == ("solved", "within tolerance, not feasible")
    assert found["certificate"]["row_violation"] == pytest.approx(5e-7, rel=1e-5)


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (np.arange(5.0), ""),
        (np.arange(5, dtype=np.float32), ""),
        (np.array([1.0, np.nan, np.inf, -1.0, 0.0]), ""),
        (None, "x of a rank is none: expected 5 numbers"),
        (np.zeros(3), "x of a rank is float64[3]: expected 5 numbers"),
        (np.array([object()] * 5), "x of a rank is object[5]: expected 5 numbers"),
    ],
)
def test_x_is_written_as_it_was_answered(x: object, reason: str, tmp_path: Path) -> None:
    assert assemble(LOCAL, x, 5, tmp_path / X) == reason
    assert (tmp_path / X).exists() == (not reason)
    if not reason:
        found = np.load(tmp_path / X)
        np.testing.assert_array_equal(found, x)
        assert found.dtype == x.dtype  # type: ignore[attr-defined]


def test_no_edges_are_an_empty_x(tmp_path: Path) -> None:
    assert assemble(LOCAL, np.zeros(0), 0, tmp_path / X) == ""
    assert np.load(tmp_path / X).shape == (0,)


def test_a_disk_without_room_for_x_is_a_reason(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        said = assemble(LOCAL, np.zeros(10_000), 10_000, tmp_path / X)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert said == "x cannot be handed to the referee: File too large"
    assert not (tmp_path / X).exists()
