"""Sessions: the bits of a fresh solve, other numbers each time, and memory that stays with the process."""

from __future__ import annotations

import re
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import Session, carried, solve
from harness.kept_memory import kept_memory
from instances import InputError, MatchingLP, Rows, Stayed, generate, parse_spec, stayed
from instances.available import memory_limited
from solvers import OptionError, Start, Status

SPEC = "unit:sources=300,destinations=12,degree=4,seed=5"
WIDE = "pacing:sources=300,destinations=5,degree=3,seed=5"
TIGHT = {"tolerance": 1e-6, "threads": 1}


@pytest.fixture
def lp() -> MatchingLP:
    return generate(parse_spec(SPEC))


@pytest.fixture
def session(lp: MatchingLP) -> Iterator[Session]:
    with Session(lp, "blockpdhg", **TIGHT) as made:
        yield made


def test_a_session_gives_the_bits_of_fresh_solves(lp: MatchingLP, session: Session) -> None:
    c, budgets = lp.c * np.float32(1.02), lp.b + 1
    for day in range(3):
        if day:
            session.update(c=c * np.float32(1 + day / 100), budgets=budgets + day)
        start = session.start
        assert (start is None) == (day == 0)
        again = solve(session.lp, "blockpdhg", start=start, **TIGHT)
        result = session.solve()
        assert result.status is Status.SOLVED
        assert result.answer is not None
        assert again.answer is not None
        assert result.answer.x is not None
        assert again.answer.x is not None
        assert result.answer.x.tobytes() == again.answer.x.tobytes()
        assert result.answer.iterations == again.answer.iterations
        assert result.certificate == again.certificate


@pytest.mark.parametrize("solver", ["blockpdhg", "dualip-restarted"])
@pytest.mark.parametrize("spec", [SPEC, WIDE])
def test_a_session_in_the_cells_of_its_last_solve_gives_the_bits_of_fresh_solves(spec: str, solver: str) -> None:
    """Costs, then all numbers; rows of an LP beyond the short form."""
    lp = generate(parse_spec(spec))
    asked = {"tolerance": 1e-3, "threads": 1}
    with Session(lp, solver, **asked) as session:
        session.solve()
        for change in changes(lp):
            session.update(**change)
            again = solve(session.lp, solver, **asked)
            result = session.solve(warm=False)
            assert result.certificate == again.certificate
            assert result.answer is not None
            assert again.answer is not None
            assert result.answer.x is not None
            assert again.answer.x is not None
            assert result.answer.x.tobytes() == again.answer.x.tobytes()


def changes(lp: MatchingLP) -> list[dict[str, Any]]:
    c = lp.c * np.float32(1.1)
    if lp.is_short_form:
        return [{"c": c}, {"c": lp.c, "a": lp.a * np.float32(0.9), "budgets": 0.8 * lp.b}]
    more = [
        Rows(family.name, row=family.row, coefficient=family.coefficient, upper=0.9 * family.upper)
        for family in lp.rows
        if isinstance(family, Rows)
    ]
    return [{"c": c}, {"rows": more}]


KEEPS_ITS_LAYOUT = """
import numpy as np
from solvers import EXPLICIT_KINDS, Answer, Availability, Solver, Status
from solvers.engine.storage import RAM
from solvers.engine.workspace import layout_of_solve

earlier = []  # held, so that nothing else comes into its memory


class Keeps(Solver):
    id = title = citation = "keeps"
    bytes_per_edge = 0.0
    polytopes = EXPLICIT_KINDS

    def available(self):
        return Availability(ok=True, version="1")

    def prepare(self, lp, settings):
        earlier.append(layout_of_solve(lp, settings, RAM).index)
        return np.zeros(lp.edges), np.zeros(lp.row_count)

    def run(self, state):
        same = len(earlier) > 1 and earlier[-1] is earlier[-2]
        return Answer(x=state[0], dual=state[1], status=Status.ITERATION_LIMIT, raw_status=f"same cells: {same}")
"""


def test_a_session_keeps_its_cells_while_the_edges_stay(lp: MatchingLP, tmp_path: Path) -> None:
    (tmp_path / "keeps.py").write_text(KEEPS_ITS_LAYOUT)
    solver = str(tmp_path / "keeps.py")
    with Session(lp, solver) as session:
        said = [session.solve().raw_status]
        session.update(c=2 * lp.c, a=2 * lp.a, budgets=2 * lp.b)
        said.append(session.solve().raw_status)
        session.update(rows=[Rows("budget", row=lp.destination[::-1].copy(), coefficient=lp.a, upper=lp.b)])
        said.append(session.solve().raw_status)
    assert said == ["same cells: False", "same cells: True", "same cells: False"]
    assert [solve(lp, solver).raw_status for _ in range(2)] == ["same cells: False"] * 2


def test_a_session_gives_its_memory_back_where_little_is_left(lp: MatchingLP, tmp_path: Path) -> None:
    (tmp_path / "keeps.py").write_text(KEEPS_ITS_LAYOUT)
    with Session(lp, str(tmp_path / "keeps.py")) as session, memory_limited(1):
        assert [session.solve().raw_status for _ in range(2)] == ["same cells: False"] * 2


def test_a_cold_solve_of_a_session_begins_from_nothing(session: Session) -> None:
    first = session.solve()
    assert session.solve(warm=False).started is None
    begun = session.solve()
    assert begun.started is not None
    assert begun.started.parts == "x and dual"
    assert first.answer is not None
    assert begun.answer is not None
    assert begun.answer.iterations is not None
    assert first.answer.iterations is not None
    assert begun.answer.iterations < first.answer.iterations


STAYING = """
import numpy as np
from solvers import EXPLICIT_KINDS, Answer, Availability, Solver, Status


class Staying(Solver):
    id = title = citation = "staying"
    bytes_per_edge = 0.0
    polytopes = EXPLICIT_KINDS
    warm_starts = ("x", "dual")
    stays = True

    def available(self):
        return Availability(ok=True, version="1")

    def prepare(self, lp, settings):
        return np.zeros(lp.edges), np.zeros(lp.row_count), settings.stay

    def warm_start(self, state, start):
        return start.x, start.dual, state[2]

    def run(self, state):
        return Answer(x=state[0], dual=state[1], status=Status.ITERATION_LIMIT, raw_status=f"stay {state[2]}")
"""


def test_a_first_solve_has_nothing_to_stay_near(lp: MatchingLP, tmp_path: Path) -> None:
    (tmp_path / "staying.py").write_text(STAYING)
    with Session(lp, str(tmp_path / "staying.py"), stay=0.5) as session:
        assert [session.solve().raw_status for _ in range(3)] == ["stay 0.0", "stay 0.5", "stay 0.5"]
        assert session.solve(warm=False).raw_status == "stay 0.0"


def test_a_solver_without_a_warm_start_is_solved_cold(lp: MatchingLP) -> None:
    with Session(lp, "scipy-highs-ds", threads=1) as session:
        first = session.solve()
        session.update(c=lp.c)
        assert session.start is None
        assert session.solve().certificate == first.certificate


def test_families_of_rows_are_given_anew() -> None:
    lp = generate(parse_spec(WIDE))
    with Session(lp, "scipy-highs-ds", threads=1) as session:
        first = session.solve()
        more = [
            Rows(family.name, row=family.row, coefficient=family.coefficient, upper=2 * family.upper)
            for family in lp.rows
            if isinstance(family, Rows)
        ]
        session.update(rows=more)
        second = session.solve()
        assert second.status is Status.SOLVED
        assert first.certificate is not None
        assert second.certificate is not None
        assert first.certificate.dual_bound is not None
        assert second.certificate.feasible_objective is not None
        assert second.certificate.feasible_objective < first.certificate.dual_bound
        with pytest.raises(InputError, match=re.escape("families of rows (campaign, campaign-hour): give rows=")):
            session.update(budgets=np.ones(5))


def test_a_session_follows_sources_that_come_and_go(lp: MatchingLP, session: Session) -> None:
    today, tomorrow = parse_spec(SPEC), parse_spec(f"{SPEC},day=1,drift=0.02")
    other = generate(tomorrow)
    same = stayed((today, lp), (tomorrow, other))
    session.solve()
    before = session.start
    session.follow(other, same)
    assert before is not None
    assert session.start is not None
    assert before.x is not None
    assert session.start.x is not None
    assert np.array_equal(session.start.x[same.after], before.x[same.before])
    assert not np.delete(session.start.x, same.after).any()
    assert session.start.dual is not None
    assert before.dual is not None
    assert np.array_equal(session.start.dual, before.dual)
    assert session.solve().status is Status.SOLVED


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "update: nothing to change: give c=, a=, budgets= or rows="),
        ({"c": np.zeros(3)}, "c has 3 entries"),
        ({"budgets": np.ones(13)}, "update: 13 rows, the instance has 12: keep their number"),
        ({"a": np.zeros(1), "rows": []}, "update: a and budgets are in rows already"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(session: Session, changes: dict[str, np.ndarray], line: str) -> None:
    lp = session.lp
    with pytest.raises(InputError, match=re.escape(line)):
        session.update(**changes)  # type: ignore[arg-type]
    assert session.lp is lp


def test_bad_settings_are_refused_before_anything_is_solved(lp: MatchingLP) -> None:
    with pytest.raises(OptionError, match="unknown setting 'tol'"):
        Session(lp, "blockpdhg", tol=1e-4)
    with pytest.raises(InputError, match="unknown solver"):
        Session(lp, "nonesuch")


def test_a_closed_session_solves_no_more(lp: MatchingLP) -> None:
    session = Session(lp, "blockpdhg")
    session.close()
    with pytest.raises(InputError, match="the session is closed"):
        session.solve()


def test_what_cannot_be_carried_is_refused(lp: MatchingLP) -> None:
    start = Start(x=np.zeros(lp.edges))
    beyond = Stayed(before=np.array([0, lp.edges]), after=np.array([0, 1]))
    with pytest.raises(InputError, match="the edges that stayed go up to"):
        carried(start, beyond, lp)
    with pytest.raises(InputError, match="prices alone, of other rows"):
        carried(Start(dual=np.zeros(3)), Stayed(before=np.array([0]), after=np.array([0])), lp)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="counts the page faults of Linux")
def test_freed_memory_is_touched_afresh_only_outside() -> None:
    size = 48 << 20  # beyond what glibc ever keeps by itself
    fill(size)
    fresh = fill(size)
    with kept_memory():
        fill(size)
        kept = fill(size)
    assert fresh >= size // (2 << 20)  # one fault a large page at least
    assert kept < fresh / 4


def fill(size: int) -> int:
    """Page faults of writing into `size` new bytes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.empty(size, dtype=np.uint8).fill(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
