"""The families of rows of a `MatchingLP`, checked, and the short form where they have it. E edges, R rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from instances.checks import (
    Floats,
    check_length,
    check_range,
    checked_floats,
    checked_integers,
    least_entry,
)
from instances.errors import InstanceError
from instances.rows import SHORT_NAME, Coefficient, RaggedRows, RowFamily, Rows
from instances.sides import Sides
from instances.words import named


def checked_families(
    rows: Any, short_form: dict[str, Any], edges: int
) -> tuple[tuple[Rows | RaggedRows, ...], Rows | None]:
    """The checked families, and the one of the short form where they have it."""
    if rows is None or any(value is not None for value in short_form.values()):
        given = _short_form(short_form, edges) if rows is None else _changed(rows, short_form, edges)
        return (given,), given
    families = _each_checked(rows, edges)
    short = _as_short_form(families, edges)
    return (families if short is None else (short,)), short


def _short_form(given: dict[str, Any], edges: int, name: str = SHORT_NAME, keys: Any = None) -> Rows:
    """The family of destination, a and b, checked under these names."""
    missing = [field for field, value in given.items() if value is None]
    if missing:
        raise InstanceError(f"{', '.join(missing)} not given: give destination=, a= and b=, or rows= with families")
    destination = checked_integers("destination", given["destination"], np.int32)
    a = checked_floats("a", given["a"], keep=(np.float32, np.float64))
    b = checked_floats("b", given["b"], keep=(np.float64,))
    check_length("destination", destination, edges)
    check_length("a", a, edges)
    check_range("destination", destination, 0, b.size - 1, f"b has {b.size} entries")
    reason = "the short form repairs its budgets by scaling: give other coefficients as rows=[Rows(...)]"
    check_range("a", a, 0, np.inf, reason)
    reason = "the short form repairs its budgets by scaling, inf is no limit: give other limits as rows=[Rows(...)]"
    check_range("b", b, 0, np.inf, reason, finite=False)
    return Rows.unchecked(name, destination, a, Sides.at_most(b), keys)


def _each_checked(rows: Any, edges: int) -> tuple[Rows | RaggedRows, ...]:
    if isinstance(rows, RowFamily) or not isinstance(rows, Sequence) or not rows:
        raise InstanceError("rows needs a list of families: write rows=[Rows('campaign', row=..., upper=...)]")
    for family in rows:
        if not isinstance(family, (Rows, RaggedRows)):
            raise InstanceError(f"a family in rows is {named(family)}: give Rows(...) or RaggedRows(...)")
        family.check_edges(edges)
    names = [family.name for family in rows]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InstanceError(f"rows has two families named {twice[0]!r}: give each a name of its own")
    return tuple(rows)


def _as_short_form(families: tuple[Rows | RaggedRows, ...], edges: int) -> Rows | None:
    """The one family with an array for each of row, coefficient and upper; None where it is not the short form.

    A coefficient that is one number becomes float32 where that holds it exactly.
    """
    family = families[0]
    if len(families) > 1 or not isinstance(family, Rows) or not family.sides.hard_ceilings():
        return None
    coefficient = _of_each_edge(family.coefficient, edges)
    if least_entry(coefficient) < 0:
        return None
    row = np.zeros(edges, dtype=np.int32) if family.row is None else family.row
    return Rows.unchecked(family.name, row, coefficient, Sides.at_most(np.ascontiguousarray(family.upper)), family.keys)


def _of_each_edge(coefficient: Coefficient, edges: int) -> Floats:
    if isinstance(coefficient, np.ndarray):
        return coefficient
    with np.errstate(over="ignore", under="ignore"):  # float32 does not hold such a number
        narrow = float(np.float32(coefficient)) == coefficient
    of_each: Floats = np.full(edges, coefficient, dtype=np.float64)
    return of_each.astype(np.float32) if narrow else of_each


def _changed(rows: Any, given: dict[str, Any], edges: int) -> Rows:
    """The short form that `rows` holds, with what is given of destination, a and b in its place."""
    family = rows[0] if isinstance(rows, tuple) and len(rows) == 1 else None
    if not isinstance(family, Rows) or not family.sides.hard_ceilings():
        raise InstanceError("destination, a and b are the short form of one '<=' family: give them or rows=, not both")
    of_family: dict[str, Any] = {"destination": family.row, "a": family.coefficient, "b": family.upper}
    merged = {field: of_family[field] if value is None else value for field, value in given.items()}
    keys = family.keys if np.shape(merged["b"]) == (family.rows,) else None
    return _short_form(merged, edges, family.name, keys)
