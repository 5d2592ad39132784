"""The byte model of a solve: one for choosing where arrays lie, for plans, and for what adapters declare."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.engine.layout_builder import build_layout
from solvers.engine.sizes import LAYOUT_BYTES_KEPT, Further, Shape
from solvers.registry import get_solver
from solvers.sharded import ShardedSolver
from tests.support.feasible_rows import general_lp

LARGE = Shape(sources=10_000_000, rows=10_000, edges=100_000_000)


def solver(name: str) -> ShardedSolver:
    found = get_solver(name)
    assert isinstance(found, ShardedSolver)
    return found


@pytest.mark.parametrize("name", ["blockpdhg", "dualip"])
def test_an_adapter_declares_the_bytes_of_an_edge_that_the_model_has(name: str) -> None:
    working = solver(name).memory(LARGE).host(cells_on_host=True)
    assert working / LARGE.edges == pytest.approx(solver(name).bytes_per_edge, rel=0.15)


def test_an_ascent_does_not_count_a_large_layout_and_the_answer_at_once() -> None:
    ascent = solver("dualip").memory(LARGE)
    assert ascent.cells > LAYOUT_BYTES_KEPT
    assert ascent.host(cells_on_host=True) < ascent.cells + ascent.answer


def test_primal_vectors_are_what_pdhg_needs_more_than_an_ascent() -> None:
    ascent, pdhg = (solver(name).memory(LARGE) for name in ("dualip", "blockpdhg"))
    assert pdhg.cell - ascent.cell == 2 * 4
    assert pdhg.pass_moved - pdhg.pass_read == pytest.approx(pdhg.cells / LARGE.edges / pdhg.cell * 4)


def test_a_device_that_streams_holds_two_blocks_however_large_the_instance() -> None:
    twice = Shape(sources=2 * LARGE.sources, rows=LARGE.rows, edges=2 * LARGE.edges)
    one, two = (solver("blockpdhg").memory(shape) for shape in (LARGE, twice))
    assert two.device > 1.9 * one.device
    assert two.blocks - one.blocks < 0.1 * two.device


def test_a_cell_is_what_a_layout_stores_for_it_in_all_families() -> None:
    lp = general_lp(1, sources=200)
    shape, layout = Shape.of(lp), build_layout(lp, "float64")
    dense, constant, ragged = shape.further
    assert shape.rows == lp.row_count
    assert (dense, constant) == (Further(index=False, a=True), Further(index=True, a=False))
    assert layout.more is not None
    stored = [sum(array.nbytes for array in family if np.ndim(array)) for family in layout.more]
    assert stored[0] == layout.cells * dense.bytes(index=2, value=8)
    assert stored[1] == layout.cells * constant.bytes(index=2, value=8)
    entries = lp.rows[3].entry_count  # type: ignore[union-attr]
    assert ragged.entries == entries / lp.edges
    assert stored[2] == 8 * (layout.cells + 1) + entries * (2 + 8)
