"""Loops compiled, or loaded from the cache, before a run is timed: each is called once on a tiny instance."""

from __future__ import annotations

from typing import Any

import numpy as np

from instances import Kind, MatchingLP, PerSource, RaggedRows, Rows
from solvers.base import Vector
from solvers.engine.arrays import edge_arrays, has_box_cuts
from solvers.engine.constants import STACK_CELLS
from solvers.engine.correction import load_loop
from solvers.engine.instance import serves_equalities
from solvers.engine.kernel import RESTART, Kernel
from solvers.engine.kernels import make_kernel
from solvers.engine.layout import Layout
from solvers.engine.nearest import nearest_feasible
from solvers.engine.points import ridge_point, to_cells, to_edges
from solvers.engine.precision import answer_dtype
from solvers.engine.proof import suits_proofs
from solvers.engine.rays import is_ray
from solvers.engine.relief import relieve
from solvers.engine.repair import repair
from solvers.engine.shared_layout import make_layout
from solvers.settings import Settings


def warm_up(lp: MatchingLP, settings: Settings, kernel: str) -> None:
    """Compile (or load from the cache) every loop that a run of blockpdhg on `lp` will use on the host."""
    tiny = few_edges(lp)
    answer = answer_dtype(settings, equality=serves_equalities(lp))
    layout = make_layout(tiny, settings)
    if settings.device == "cpu":
        _warm_up_passes(make_kernel(layout, settings, kernel), layout, lp, answer)
    for dtype in dict.fromkeys((settings.dtype, answer)):
        edges = to_edges(layout, tiny, np.zeros(layout.cells, settings.dtype), dtype)
        to_cells(layout, tiny, edges)
        _warm_up_repair(tiny, edges)


def loops_of(lp: MatchingLP, settings: Settings, kernel: str) -> tuple[Any, ...]:
    """What decides which loops are compiled for `lp`: where this is equal, they are the same."""
    equality = serves_equalities(lp)
    of_families = [(type(family), family.rows, family.row is None, _type_of(family.coefficient)) for family in lp.rows]
    return (
        (kernel, settings.device, settings.dtype, answer_dtype(settings, equality=equality)),
        (equality, has_box_cuts(edge_arrays(lp)), bool(lp.degrees().max(initial=0) > STACK_CELLS)),
        (lp.is_short_form, lp.c.dtype, *of_families),
    )


def _type_of(coefficient: Any) -> Any:
    """Of an array; a number itself, on whose value its type depends."""
    return coefficient.dtype if isinstance(coefficient, np.ndarray) else coefficient


def _warm_up_passes(loops: Kernel, layout: Layout, lp: MatchingLP, dtype: str) -> None:
    """The passes over a tiny layout, and its answer in `dtype`."""
    import torch

    price = torch.zeros(lp.row_count, dtype=torch.float64, device=loops.device)
    x, anchor = loops.zeros(), loops.zeros()
    loops.advance(price, 1.0, x, anchor, RESTART, values=lp.is_short_form)
    if lp.is_short_form or suits_proofs(layout):
        loops.evaluate_feasible(price, x, None if lp.is_short_form else price)
        loops.answer(x, price, dtype, loops.zeros())


def warm_up_ascent(lp: MatchingLP, settings: Settings, kernel: str) -> None:
    """The same for an ascent of the ridge dual."""
    import torch

    tiny = few_edges(lp)
    answer = answer_dtype(settings, equality=serves_equalities(lp))
    if settings.device == "cpu":
        loops = make_kernel(make_layout(tiny, settings), settings, kernel)
        loops.project(torch.zeros(lp.row_count, dtype=torch.float64, device=loops.device), 1.0, values=lp.is_short_form)
    _warm_up_repair(tiny, ridge_point(tiny, np.zeros(lp.row_count), 1.0, answer))


def _warm_up_repair(tiny: MatchingLP, x: Vector) -> None:
    none = np.zeros(tiny.row_count)
    serving = serves_equalities(tiny)
    repair(tiny, x, none)
    if serving and tiny.is_short_form:
        relieve(tiny, x, none, allowed=1.0)
        nearest_feasible(tiny, x)
    if serving or not tiny.is_short_form:
        is_ray(tiny, none)
    if not tiny.is_short_form:
        load_loop()


def few_edges(lp: MatchingLP) -> MatchingLP:
    """A source of one edge for each kind that `lp` may have; '=' ones and box-cuts only where it has some, because
    loops are compiled for the kinds of an instance. Its families have the rows of those of `lp`, and arrays where they
    have some: loops are compiled for those too. Where `lp` has a source of too many edges for the stack, so has it.
    """
    equality = serves_equalities(lp)
    kinds = [Kind.SIMPLEX, Kind.SIMPLEX_EQUALITY if equality else Kind.SIMPLEX, Kind.BOX]
    if has_box_cuts(edge_arrays(lp)):
        kinds += [Kind.BOX_CUT, Kind.BOX_CUT_EQUALITY if equality else Kind.BOX_CUT]
    degrees = np.ones(len(kinds), dtype=np.int64)
    if lp.degrees().max(initial=0) > STACK_CELLS:
        degrees[0] = STACK_CELLS + 1
    edges = int(degrees.sum())
    return MatchingLP(
        offsets=np.append(0, np.cumsum(degrees)),
        c=-np.ones(edges, dtype=lp.c.dtype),
        rows=[_of_few_edges(family, edges, short_form=lp.is_short_form) for family in lp.rows],
        polytope=PerSource(
            kind=np.array(kinds, dtype=np.uint8), params=np.ones((1 if len(kinds) == 3 else 2, len(kinds)))
        ),
    )


def _of_few_edges(family: Rows | RaggedRows, edges: int, *, short_form: bool) -> Rows | RaggedRows:
    """One entry for each edge, all in the first row; coefficients of -1 keep a family from becoming the short form."""
    coefficient = family.coefficient
    if isinstance(coefficient, np.ndarray):
        coefficient = np.full(edges, 1.0 if short_form else -1.0, dtype=coefficient.dtype)
    row = np.zeros(edges if family.rows else 0, dtype=np.int32)
    sides: dict[str, Any] = {
        "lower": family.lower,
        "upper": np.full(family.rows, edges + 1.0) if short_form else family.upper,
        "penalty": (family.penalty_below, family.penalty_above),
    }
    if isinstance(family, RaggedRows):
        starts = np.minimum(np.arange(edges + 1), row.size)
        coefficient = coefficient[: row.size] if isinstance(coefficient, np.ndarray) else coefficient
        return RaggedRows(family.name, entry_offsets=starts, row=row, coefficient=coefficient, **sides)
    return Rows(family.name, row=None if family.row is None else row, coefficient=coefficient, **sides)


def rehearse(kernel: Kernel, dtype: str, *, short_form: bool = True) -> None:
    """Every call of a run of blockpdhg once, on the real layout, with its answer in `dtype`.

    For a device: Triton compiles by the shapes of a layout, and allocating pinned memory is slow. Both are kept.
    """
    import torch

    price = torch.zeros(kernel.destinations, dtype=torch.float64, device=kernel.device)
    x, anchor = kernel.zeros(), kernel.zeros()
    kernel.advance(price, 1.0, x, anchor, RESTART, values=True)
    kernel.evaluate_feasible(price, x, None if short_form else price)
    kernel.answer(x, price, dtype, anchor)


def rehearse_ascent(kernel: Kernel) -> None:
    """The one call that a ridge ascent makes of a device, on the real layout."""
    import torch

    kernel.project(torch.zeros(kernel.destinations, dtype=torch.float64, device=kernel.device), 1.0, values=True)
