"""Certificates by the cells, beyond the short form: those that the edges give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from instances import BoxCut, MatchingLP, RaggedRows
from solvers.engine.points import to_cells
from solvers.engine.proof_rows import RowsOnCells
from solvers.engine.repair import repair
from tests.support.feasible_rows import general_lp
from tests.support.kernels import KERNELS, layout_and_kernel, on

pytestmark = pytest.mark.parametrize("name", KERNELS)


def without_equalities(kind: str) -> MatchingLP:
    """`general_lp` over box-cuts; with the kind "at most" all rows are packing rows."""
    lp = general_lp(3, kind, sources=12)
    rows = [_packing(family) for family in lp.rows] if kind == "at most" else lp.rows
    return MatchingLP(offsets=lp.offsets, c=lp.c, polytope=BoxCut(upper=0.6, at_most=1.0), rows=rows)


def _packing(family: Any) -> Any:
    coefficient = family.coefficient if isinstance(family.coefficient, float) else np.abs(family.coefficient)
    fields = {"row": family.row, "coefficient": coefficient, "upper": np.abs(family.upper)}
    if isinstance(family, RaggedRows):
        fields["entry_offsets"] = family.entry_offsets
    return type(family)(family.name, **fields)


@pytest.mark.parametrize("kind", ["at most", "mixed"])
def test_the_cells_prove_what_the_edges_prove(name: str, kind: str) -> None:
    lp, rng = without_equalities(kind), np.random.default_rng(1)
    x, dual = rng.uniform(-0.2, 1, lp.edges), rng.normal(0, 1, lp.row_count)
    layout, kernel = layout_and_kernel(lp, name)
    cells = kernel.load(to_cells(layout, lp, x))
    prover = RowsOnCells(lp=lp, kernel=kernel, terms=float(kernel.terms), answer_dtype="float64")

    proved, factor = prover.certify(cells, dual)

    on_edges = repair(lp, x, dual)
    assert (on_edges.violation == 0) is (kind == "at most")
    for part in ("bound", "objective", "violation"):
        assert getattr(proved, part) == pytest.approx(getattr(on_edges, part), rel=1e-9, abs=1e-9)
    answer = kernel.answer(cells, on(kernel, factor), "float64", kernel.zeros())
    np.testing.assert_allclose(answer, x, rtol=1e-9, atol=1e-12)
