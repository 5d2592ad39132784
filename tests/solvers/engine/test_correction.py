"""Points near their hard rows are brought within them by moves between partly used edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from harness.referee import certify
from instances import MatchingLP, PerSource, RaggedRows, Rows, Simplex
from solvers.engine.repair import repair
from solvers.engine.vertex import Search
from tests import exact_rows
from tests.support.feasible_rows import feasible_point, general_lp
from tests.support.highs import HighsApart
from tests.support.ranks import on_ranks

ANY = Search(seconds=math.inf, enough=math.inf)
KINDS = ("at least", "equal", "between", "mixed")


def near(lp: MatchingLP, x: Any, seed: int, noise: float = 1e-4) -> Any:
    return x * (1 + noise * np.random.default_rng(seed).normal(size=lp.edges))


def sources_of(lp: MatchingLP, first: int, last: int) -> MatchingLP:
    """The LP of these sources under the same rows."""
    start, stop = lp.offsets[first], lp.offsets[last]

    def cut(family: Any) -> Any:
        coefficient, fields = family.coefficient, {}
        entries = slice(start, stop)
        if isinstance(family, RaggedRows):
            offsets = family.entry_offsets[start : stop + 1]
            entries = slice(offsets[0], offsets[-1])
            fields["entry_offsets"] = offsets - offsets[0]
        return type(family)(
            family.name,
            row=None if family.row is None else family.row[entries],
            coefficient=coefficient[entries] if isinstance(coefficient, np.ndarray) else coefficient,
            lower=family.lower,
            upper=family.upper,
            penalty=(family.penalty_below, family.penalty_above),
            **fields,
        )

    polytope = lp.per_source
    return MatchingLP(
        offsets=lp.offsets[first : last + 1] - start,
        c=lp.c[start:stop],
        polytope=PerSource(kind=polytope.kind[first:last], params=[one[first:last] for one in polytope.params]),
        rows=[cut(family) for family in lp.rows],
    )


@pytest.mark.parametrize("kind", KINDS)
def test_points_inside_their_polytopes_are_brought_within_every_kind_of_row(kind: str) -> None:
    for seed in range(6):
        lp = general_lp(seed, kind)
        x = near(lp, feasible_point(lp, np.random.default_rng((seed, 77))), seed)
        given, dual = x.copy(), np.zeros(lp.row_count)
        certificate = repair(lp, x, dual, search=ANY)
        assert certificate.feasible, seed
        assert exact_rows.violation(lp, x) <= 1e-12
        assert np.abs(x - given).max() <= 1e-2
        judged = certify(lp, x, dual)
        assert judged.feasible_objective == pytest.approx(certificate.objective, rel=1e-9, abs=1e-9)
        assert judged.priced_gap is None


def test_optimal_points_with_noise_stay_near_the_optimum(highs: HighsApart) -> None:
    """What the moves cost is what the rows were priced at."""
    corrected = 0
    for seed in range(12):
        lp = general_lp(seed, "mixed")
        best = highs.solved(lp)
        x = near(lp, best.x, seed)
        priced = repair(lp, x.copy(), best.dual)
        certificate = repair(lp, x, best.dual, search=ANY)
        assert certificate.objective >= best.objective - 1e-9
        corrected += certificate.feasible and not priced.feasible
        if certificate.feasible:
            assert certificate.gap <= 10 * max(priced.priced_gap, 1e-9)
    assert corrected >= 2


def test_what_cannot_be_brought_in_stays_as_it_was() -> None:
    """Two sources on one edge each: the floor of the second row wants what nobody can give."""
    lp = MatchingLP(
        offsets=[0, 1, 2],
        c=[-1.0, -1.0],
        rows=[Rows("floor", row=[0, 1], coefficient=np.ones(2), lower=[0.0, 1.05])],
        polytope=Simplex(equality=True),
    )
    x = np.ones(2)
    certificate = repair(lp, x, np.zeros(2), search=ANY)
    assert certificate.violation == pytest.approx(0.05 / 2.05)
    assert x.tolist() == [1.0, 1.0]


def test_an_answer_in_float32_is_within_its_floors_after_rounding() -> None:
    lp = general_lp(2, "at least")
    x = near(lp, feasible_point(lp, np.random.default_rng((2, 77))), 2).astype(np.float32)
    certificate = repair(lp, x, np.zeros(lp.row_count), search=ANY)
    assert certificate.feasible
    assert certify(lp, x, np.zeros(lp.row_count)).priced_gap is None


def test_ranks_correct_as_one_process_does() -> None:
    """Each has half of the sources; both see the loads of all."""
    lp = general_lp(4, "mixed")
    x = near(lp, feasible_point(lp, np.random.default_rng((4, 77))), 4)
    alone = x.copy()
    expected = repair(lp, alone, np.zeros(lp.row_count), search=ANY)
    half = lp.sources // 2
    parts = [sources_of(lp, 0, half), sources_of(lp, half, lp.sources)]
    cut = int(lp.offsets[half])
    points = [x[:cut].copy(), x[cut:].copy()]
    found = on_ranks(2, lambda group: repair(parts[group.rank], points[group.rank], np.zeros(lp.row_count), group, ANY))
    assert expected.feasible
    assert found[0] == found[1]
    assert found[0].objective == pytest.approx(expected.objective, rel=1e-9)
    np.testing.assert_allclose(np.concatenate(points), alone, atol=1e-9)
