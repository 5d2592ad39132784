"""The arrays of an instance as they are stored, and the hash that names them wherever they are.

A polytope that is the same for all sources is stored as {"kind": name, "radius": number, ...} with its parameters; any
other as the array kind and one array for each parameter, and edge_upper where u differs from edge to edge. The short
form is stored as destination, a and b; other rows as instances/row_arrays.py says. Names and keys of rows are labels:
instances that differ in them alone have one hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from instances.errors import InstanceError
from instances.mapped import release_pages
from instances.matching import MatchingLP
from instances.per_source import PerSource
from instances.polytopes import PARAMETER_NAMES, Kind, Polytope, polytope_kinds
from instances.row_arrays import SHORT, edge_side_arrays, families_from, forms, limit_arrays
from instances.rows import SHORT_NAME, RaggedRows, Rows

EDGE_ARRAYS = ("destination", "a", "c")
EDGE_UPPER = "edge_upper"
_HASHED = 1 << 20  # entries at a time
#: Hashes of the living instances. Instances never change, and forked processes inherit these hashes.
_KNOWN: WeakKeyDictionary[MatchingLP, str] = WeakKeyDictionary()


def arrays_of(lp: MatchingLP) -> dict[str, npt.NDArray[Any]]:
    """offsets, those of the edges, those of the limits of rows, and those of the polytopes where the sources differ."""
    arrays = {"offsets": lp.offsets, **edge_arrays_of(lp), **limits_of(lp)}
    if polytope_header(lp.polytope) is None:
        arrays |= polytope_arrays(lp.per_source)
    return arrays


def edge_arrays_of(lp: MatchingLP) -> dict[str, npt.NDArray[Any]]:
    """destination, a, c of the short form; else c and what the families hold of each edge. edge_upper where it is."""
    own = {} if lp.edge_upper is None else {EDGE_UPPER: lp.edge_upper}
    if lp.is_short_form:
        return {name: getattr(lp, name) for name in EDGE_ARRAYS} | own
    return {"c": lp.c, **edge_side_arrays(lp.rows)} | own


def limits_of(lp: MatchingLP) -> dict[str, npt.NDArray[Any]]:
    """b of the short form; else each side of each family that limits something."""
    return {"b": lp.b} if lp.is_short_form else limit_arrays(lp.rows)


def rows_header(lp: MatchingLP) -> list[dict[str, Any]] | None:
    """Form, name and hash of the keys of each family; None for a short form without a name and keys of its own."""
    if lp.is_short_form and lp.rows[0].name == SHORT_NAME and lp.rows[0].keys is None:
        return None
    return named_forms(lp.rows, short=lp.is_short_form)


def named_forms(families: Sequence[Rows | RaggedRows], *, short: bool = False) -> list[dict[str, Any]]:
    """`forms` with the name of each family and a hash of its keys; short: of the one family of a short form."""
    header = [{"form": SHORT, "rows": families[0].rows}] if short else forms(families)
    for family, one in zip(families, header, strict=True):
        one |= {"name": family.name, "keys": None if family.keys is None else bytes_hash(family.keys)}
    return header


def lp_from_rows(
    arrays: Mapping[str, npt.NDArray[Any]], families: Sequence[Rows | RaggedRows], polytope: Polytope
) -> MatchingLP:
    """The instance with these families of rows, whose edges are in `arrays` instead: offsets and `edge_arrays_of`."""
    if "destination" in arrays:
        short: dict[str, Any] = {name: arrays[name] for name in EDGE_ARRAYS}
        return MatchingLP(offsets=arrays["offsets"], b=families[0].upper, polytope=polytope, **short)
    rows = families_from(named_forms(families), {**arrays, **limit_arrays(families)})
    return MatchingLP.beyond(offsets=arrays["offsets"], c=arrays["c"], polytope=polytope, rows=rows)


def lp_from(header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> MatchingLP:
    """The instance of `arrays_of` and `key_arrays`; header has "polytope", and "rows" where `rows_header` is not None.

    Raises InstanceError where the keys are not those of the header.
    """
    polytope = polytope_from(header["polytope"], arrays)
    if header.get("rows") is None:
        short: dict[str, Any] = {name: arrays[name] for name in ("destination", "a", "b")}
        return MatchingLP(offsets=arrays["offsets"], c=arrays["c"], polytope=polytope, **short)

    families = families_from(header["rows"], arrays)
    for family, one in zip(families, header["rows"], strict=True):
        if one["keys"] != (None if family.keys is None else bytes_hash(family.keys)):
            raise InstanceError(f"the keys of the rows {family.name} are not what was written")
    make = MatchingLP if header["rows"][0]["form"] == SHORT else MatchingLP.beyond
    return make(offsets=arrays["offsets"], c=arrays["c"], polytope=polytope, rows=families)


def polytope_arrays(polytopes: PerSource) -> dict[str, npt.NDArray[Any]]:
    """kind, and each parameter by its name."""
    return {"kind": polytopes.kind, **dict(zip(PARAMETER_NAMES, polytopes.params, strict=False))}


def polytope_header(polytope: Polytope) -> dict[str, Any] | None:
    """{"kind": name, "radius": number, ...} with each parameter by its name, or None where the sources differ."""
    of_edges = getattr(polytope, EDGE_UPPER, None) is not None
    if of_edges or any(np.ndim(value) for value in (polytope.kind, *polytope.params)):
        return None
    parameters = zip(PARAMETER_NAMES, polytope.params, strict=False)
    return {"kind": Kind(int(polytope.kind)).name, **{name: float(value) for name, value in parameters}}


def polytope_from(header: Mapping[str, Any] | None, arrays: Mapping[str, npt.NDArray[Any]]) -> Polytope:
    """The inverse of `polytope_header` and `polytope_arrays`, with edge_upper where the arrays have it."""
    if header is None:
        params = [arrays[name] for name in PARAMETER_NAMES if name in arrays]
        return PerSource(kind=arrays["kind"], params=params, edge_upper=arrays.get(EDGE_UPPER))
    one = polytope_kinds()[Kind[header["kind"]]]
    return one.make(*(header[name] for name in PARAMETER_NAMES[: one.parameters]))


def content_hash(lp: MatchingLP) -> str:
    """64 hexadecimal digits: SHA-256 over name, dtype and bytes of every stored array, and the polytope.

    Computed once an instance, for generated ones too: of 1e7 edges it takes 0.05 s on two cores, of 5e7 edges 0.33 s, a
    tenth of what generating them takes.
    """
    if lp not in _KNOWN:
        with ThreadPoolExecutor(max_workers=4) as pool:  # hashing releases the lock of the interpreter
            hashed = list(pool.map(_hash_array, arrays_of(lp).items()))
        _KNOWN[lp] = hash_of_hashes(hashed, polytope_header(lp.polytope), None if lp.is_short_form else forms(lp.rows))
    return _KNOWN[lp]


def hash_of_hashes(
    hashed: Sequence[tuple[str, str, str]],
    polytope: Mapping[str, Any] | None,
    families: list[dict[str, Any]] | None = None,
) -> str:
    """The content hash from (name, dtype, SHA-256 of the bytes) of each stored array in the order of `arrays_of`.

    polytope: of `polytope_header`. families: `forms` of rows beyond the short form.
    """
    content: list[Any] = [[list(h) for h in hashed], polytope]
    if families is not None:
        content.append(families)
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def piece_hash(lp: MatchingLP, first: int, last: int) -> str:
    """SHA-256 over sources first : last of `lp`: degrees, edges, and the polytopes where the sources differ."""
    degrees = np.diff(lp.offsets[first : last + 1])
    release_pages(lp.offsets, first, last)
    shared = polytope_header(lp.polytope) is not None
    polytopes = None if shared else lp.per_source.part(first, last, lp.offsets)
    return hash_of_piece(degrees, part_arrays(lp, first, last), polytopes)


def hash_of_piece(
    degrees: npt.NDArray[np.int64], edges: Mapping[str, npt.NDArray[Any]], polytopes: PerSource | None
) -> str:
    """`piece_hash` of whole sources, of their `part_arrays`, and of their polytopes where the sources differ."""
    arrays = {"degrees": degrees, **edges, **({} if polytopes is None else polytope_arrays(polytopes))}
    hashed = [list(_hash_array(item)) for item in arrays.items()]
    return hashlib.sha256(json.dumps(hashed).encode()).hexdigest()


def part_arrays(lp: MatchingLP, first: int, last: int) -> dict[str, npt.NDArray[Any]]:
    """`edge_arrays_of` for the edges of sources first : last alone."""
    start, end = int(lp.offsets[first]), int(lp.offsets[last])
    own = {} if lp.edge_upper is None else {EDGE_UPPER: lp.edge_upper[start:end]}
    if lp.is_short_form:
        return {name: getattr(lp, name)[start:end] for name in EDGE_ARRAYS} | own
    return {"c": lp.c[start:end], **edge_side_arrays([family.part(start, end) for family in lp.rows])} | own


def limits_hash(lp: MatchingLP) -> str:
    """SHA-256 of b in the short form, else over all sides of all families."""
    if lp.is_short_form:
        return bytes_hash(lp.b)
    return hashlib.sha256(json.dumps([_hash_array(item) for item in limits_of(lp).items()]).encode()).hexdigest()


def hash_of_pieces(pieces: Sequence[str], part: MatchingLP) -> str:
    """The name of a whole instance: from the `piece_hash` of all pieces in order, whichever ranks hold them, and from
    what every `part` has: limits, forms of the families, and the polytope where the sources share one.
    """
    families = None if part.is_short_form else forms(part.rows)
    content = [list(pieces), limits_hash(part), polytope_header(part.polytope), families]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def bytes_hash(array: npt.NDArray[Any]) -> str:
    return _hash_array(("", array))[2]


def check_content(lp: MatchingLP, expected: str, where: object) -> None:
    if content_hash(lp) != expected:
        raise InstanceError(f"{where} is damaged, its content is not what was written: write it again")


def _hash_array(item: tuple[str, npt.NDArray[Any]]) -> tuple[str, str, str]:
    name, array = item
    hasher = hashlib.sha256()
    for start in range(0, array.size, _HASHED):
        hasher.update(np.ascontiguousarray(array[start : start + _HASHED]).data)
        release_pages(array, start, min(start + _HASHED, array.size))
    return name, array.dtype.str, hasher.hexdigest()
