"""Families of rows as arrays that can be stored, with a header that says what they are, and back.

Array k of a name belongs to family k: row_0, coefficient_0, entry_offsets_0 (ragged), one of lower_0, upper_0,
penalty_below_0, penalty_above_0 for each side that limits something, and keys_0 where the user has named the rows. The
short form has no such arrays but keys: destination, a and b say the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import InstanceError
from instances.rows import RaggedRows, Rows
from instances.sides import NO_SIDE, SIDE_NAMES

Arrays = dict[str, npt.NDArray[Any]]
Family = Rows | RaggedRows
#: Forms of a family in a header; the short form of an LP is stored as destination, a and b.
ALIGNED, RAGGED, SHORT = "aligned", "ragged", "short"
_EDGE_FIELDS = ("entry_offsets", "row", "coefficient")


def edge_side_arrays(families: Sequence[Family]) -> Arrays:
    """What the families hold of each edge or entry."""
    fields = {f"{name}_{k}": getattr(family, name, None) for k, family in enumerate(families) for name in _EDGE_FIELDS}
    return {name: array for name, array in fields.items() if isinstance(array, np.ndarray)}


def limit_arrays(families: Sequence[Family]) -> Arrays:
    """The sides that limit something, float64[R] of each family."""
    return {f"{name}_{k}": side for k, family in enumerate(families) for name, side in family.sides.given().items()}


def key_arrays(families: Sequence[Family]) -> Arrays:
    """The user's names of the rows, where there are any. They are labels: no hash of the content knows them."""
    return {f"keys_{k}": family.keys for k, family in enumerate(families) if family.keys is not None}


def forms(families: Sequence[Family]) -> list[dict[str, Any]]:
    """What the arrays do not say of each family: its form, its number of rows, and a coefficient for all edges."""
    return [_form(family) for family in families]


def families_from(header: Sequence[Mapping[str, Any]], arrays: Mapping[str, npt.NDArray[Any]]) -> list[Family]:
    """The families of `forms`, with a "name" each, and the arrays above; InstanceError where an array lacks."""
    try:
        return [_family(k, one, arrays) for k, one in enumerate(header)]
    except KeyError as lacking:
        raise InstanceError(f"array {lacking} of a family of rows is not there") from lacking


def _form(family: Family) -> dict[str, Any]:
    form: dict[str, Any] = {"form": RAGGED if isinstance(family, RaggedRows) else ALIGNED, "rows": family.rows}
    if isinstance(family, Rows) and family.row is None:
        form["one_row"] = True
    if not isinstance(family.coefficient, np.ndarray):
        form["coefficient"] = family.coefficient
    return form


def _family(k: int, header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Family:
    name, keys = header["name"], arrays.get(f"keys_{k}")
    if header["form"] == SHORT:
        return Rows(name, row=arrays["destination"], coefficient=arrays["a"], upper=arrays["b"], keys=keys)

    rows = header["rows"]
    sides = [arrays.get(f"{side}_{k}", np.full(rows, NO_SIDE[side])) for side in SIDE_NAMES]
    lower, upper, below, above = sides
    fields: dict[str, Any] = {
        "row": None if header.get("one_row") else arrays[f"row_{k}"],
        "coefficient": header["coefficient"] if "coefficient" in header else arrays[f"coefficient_{k}"],
        "lower": lower,
        "upper": upper,
        "penalty": (below, above),
        "keys": keys,
    }
    if header["form"] == RAGGED:
        return RaggedRows(name, entry_offsets=arrays[f"entry_offsets_{k}"], **fields)
    return Rows(name, **fields)
