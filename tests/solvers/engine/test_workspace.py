"""A workspace fills the cells of the last solve with other numbers: the bits of a new layout, in the same memory."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from instances import MatchingLP, RaggedRows, Rows, generate, parse_spec
from solvers.engine.layout import Layout
from solvers.engine.layout_builder import build_layout
from solvers.engine.storage import RAM
from solvers.engine.warm_up import loops_of
from solvers.engine.workspace import Workspace, first_use, forget_layout, layout_of_solve
from solvers.settings import Settings

SPECS = [
    "dualip:sources=300,destinations=12,degree=4,seed=5",
    "unit:sources=300,destinations=12,degree=4,seed=5,polytope=simplex-eq",
    "unit:sources=300,destinations=12,degree=4,seed=5,polytope=box-cut",
    "pacing:sources=300,destinations=5,degree=3,seed=5",
    "paths:sources=300,destinations=12,degree=4,seed=5",
]


def with_other_numbers(lp: MatchingLP) -> MatchingLP:
    """The same edges with other costs, coefficients and limits."""
    if lp.is_short_form:
        return dataclasses.replace(lp, c=lp.c * np.float32(1.1), a=lp.a * np.float32(0.9), b=lp.b * 0.5)
    return dataclasses.replace(lp, c=lp.c * np.float32(1.1), rows=[doubled(family) for family in lp.rows])


def doubled(family: Rows | RaggedRows) -> Rows | RaggedRows:
    given: dict[str, Any] = {
        "row": family.row,
        "coefficient": 2 * family.coefficient,
        "lower": family.lower,
        "upper": family.upper,
        "penalty": (family.penalty_below, family.penalty_above),
    }
    if isinstance(family, RaggedRows):
        return RaggedRows(family.name, entry_offsets=family.entry_offsets, **given)
    return Rows(family.name, **given)


def arrays_of(record: Any) -> dict[str, Any]:
    """The bytes of every array in a layout, and what else it says."""
    found: dict[str, Any] = {}
    named = record._asdict() if hasattr(record, "_asdict") else vars(record)
    for name, value in named.items():
        if name in ("storage", "all_cells"):
            continue
        found[name] = value.tobytes() if isinstance(value, np.ndarray) else value
        if name == "more":
            found[name] = value and [arrays_of(family) for family in value]
    return found


def made(workspace: Workspace, lp: MatchingLP, **settings: Any) -> Layout:
    with workspace.opened():
        return layout_of_solve(lp, Settings(**settings), RAM)


@pytest.mark.parametrize("spec", SPECS)
def test_the_cells_of_the_last_solve_take_other_numbers_to_the_bits_of_a_new_layout(spec: str) -> None:
    lp = generate(parse_spec(spec))
    other = with_other_numbers(lp)  # some arrays of edges are copies of the same numbers
    workspace = Workspace()
    first = made(workspace, lp)
    second = made(workspace, other)
    assert arrays_of(second) == arrays_of(build_layout(other))
    assert (second.index is first.index, second.a is first.a, second.c is first.c) == (True, True, True)
    assert arrays_of(made(workspace, lp)) == arrays_of(build_layout(lp))


def test_limits_of_sources_that_change_are_filled_anew() -> None:
    lp = generate(parse_spec(SPECS[2]))
    cut = dataclasses.replace(lp, polytope=dataclasses.replace(lp.per_source, params=0.5 * lp.per_source.params))
    workspace = Workspace()
    first = made(workspace, lp)
    second = made(workspace, cut)
    assert second.radius is first.radius
    assert arrays_of(second) == arrays_of(build_layout(cut))


def of_other_kinds(lp: MatchingLP) -> MatchingLP:
    return dataclasses.replace(lp, polytope=dataclasses.replace(lp.per_source, kind=1 - lp.per_source.kind))


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        (lambda lp: dataclasses.replace(lp, destination=lp.destination[::-1].copy()), {}),
        (lambda lp: dataclasses.replace(lp, b=np.append(lp.b, 1.0)), {}),
        (of_other_kinds, {}),
        (lambda lp: lp, {"dtype": "float64"}),
    ],
)
def test_other_edges_kinds_rows_or_numbers_get_cells_of_their_own(change: Any, settings: dict[str, Any]) -> None:
    lp = generate(parse_spec(SPECS[0]))
    workspace = Workspace()
    first = made(workspace, lp)
    before = arrays_of(first)
    other = made(workspace, change(lp), **settings)
    assert not np.shares_memory(first.index, other.index)
    assert arrays_of(other) == arrays_of(build_layout(change(lp), settings.get("dtype", "float32")))
    assert arrays_of(first) == before


def test_a_solve_within_a_solve_gets_cells_of_its_own() -> None:
    lp = generate(parse_spec(SPECS[0]))
    workspace = Workspace()
    made(workspace, lp)
    with workspace.opened():
        outer = layout_of_solve(lp, Settings(), RAM)
        for inner in (made(workspace, lp), made(workspace, lp), layout_of_solve(lp, Settings(), RAM)):
            assert not np.shares_memory(inner.index, outer.index)


def test_loops_are_compiled_at_their_first_use_in_a_workspace() -> None:
    """A change of what loops are compiled for is a first use again; other numbers are none."""
    lp = generate(parse_spec(SPECS[0]))
    wide = generate(parse_spec(SPECS[3]))
    others = [
        (dataclasses.replace(lp, c=lp.c.astype(np.float64)), Settings()),
        (lp, Settings(dtype="float64")),
        (lp, Settings(tolerance=1e-7)),
        (generate(parse_spec(SPECS[1])), Settings()),
        (generate(parse_spec(SPECS[2])), Settings()),
        (wide, Settings()),
    ]
    workspace = Workspace()
    asked = [(lp, Settings()), (with_other_numbers(lp), Settings()), *others, (with_other_numbers(wide), Settings())]
    found = []
    for each, settings in asked:
        with workspace.opened():
            found.append(first_use(loops_of(each, settings, "auto")))
    assert found == [True, False, *(True for _ in others), False]
    assert [first_use("loops"), first_use("loops")] == [True, True]


def test_nothing_is_kept_outside_a_workspace_or_once_forgotten() -> None:
    lp = generate(parse_spec(SPECS[0]))
    alone = [layout_of_solve(lp, Settings(), RAM) for _ in range(2)]
    assert not np.shares_memory(alone[0].index, alone[1].index)
    workspace = Workspace()
    with workspace.opened():
        first = layout_of_solve(lp, Settings(), RAM)
        forget_layout()
    second = made(workspace, lp)
    workspace.clear()
    third = made(workspace, lp)
    assert not np.shares_memory(first.index, second.index)
    assert not np.shares_memory(second.index, third.index)
