"""What is known of a solver without its code: plain data that travels, for everybody but the process that solves."""

from __future__ import annotations

import dataclasses
import math
import numbers
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from instances import Kind, RowKind
from instances.errors import InputError
from solvers.base import Availability, Solver
from solvers.settings import Option, declared_options
from solvers.start import PARTS

_DEVICES = ("cpu", "cuda")
_PLAIN_VALUES = (bool, int, float, str, type(None))
_LONGEST_ID, _LONGEST_TEXT, _MOST_OPTIONS = 64, 500, 200


class DeclarationError(InputError):
    """What a solver says of itself is not what the contract asks for; the text names the field."""


@dataclass(frozen=True, kw_only=True)
class SolverCard:
    """The class variables of a solver (see solvers.Solver) and whether it is available.

    options: with their defaults. in_ranks: it can work on several ranks.
    origin: where its class is, for solvers.registry.load: "" for a solver of this package, the absolute path of a file,
    or "module:attribute" of another distribution. source: the same for a reader.
    adapter_hash: SHA-256 of that file, or of the file of that module; "" for a solver of this package.
    """

    id: str
    title: str
    citation: str
    devices: tuple[str, ...]
    exact: bool
    bytes_per_edge: float
    streams: bool
    in_ranks: bool
    polytopes: frozenset[Kind]
    rows: frozenset[RowKind]
    nonzeros_limit: int | None
    options: tuple[Option, ...]
    availability: Availability
    upper_of_edges: bool = False
    warm_starts: tuple[str, ...] = ()
    stays: bool = False
    origin: str = ""
    source: str = ""
    adapter_hash: str = ""


def declaration(solver: Solver) -> dict[str, Any]:
    """What `solver` declares, in the types of JSON; DeclarationError where that cannot be read."""
    name = type(solver).__name__
    options = solver.Options
    if not dataclasses.is_dataclass(options):
        raise DeclarationError(f"{name}.Options must be a dataclass")
    try:
        polytopes = [int(kind) for kind in getattr(solver, "polytopes", ())]
        rows = [str(kind) for kind in solver.rows]
        devices = list(solver.devices)
        warm_starts = list(solver.warm_starts)
        fields = [_plain_option(option) for option in declared_options(options)]
    except Exception as error:
        raise DeclarationError(f"{name}: {type(error).__name__}: {error} in what it declares") from error
    bytes_per_edge: Any = getattr(solver, "bytes_per_edge", None)
    nonzeros_limit: Any = solver.nonzeros_limit
    return {
        "class": name,
        **{field: getattr(solver, field, None) for field in ("id", "title", "citation")},
        "devices": devices,
        "exact": bool(solver.exact),
        "bytes_per_edge": float(bytes_per_edge) if isinstance(bytes_per_edge, numbers.Real) else None,
        "streams": bool(solver.streams),
        "in_ranks": _works_in_ranks(solver),
        "polytopes": polytopes,
        "rows": rows,
        "upper_of_edges": bool(solver.upper_of_edges),
        "nonzeros_limit": int(nonzeros_limit) if isinstance(nonzeros_limit, numbers.Integral) else nonzeros_limit,
        "options": fields,
        "warm_starts": warm_starts,
        "stays": bool(solver.stays),
    }


def make_card(declared: Mapping[str, Any], availability: Availability) -> SolverCard:
    """The card of what `declaration` returned, here or in another process: nothing in it is trusted.

    Raises DeclarationError, which names class and field.
    """
    name = plain_text(declared.get("class"))
    return SolverCard(
        id=_id(name, declared.get("id")),
        title=_text(name, "title", declared),
        citation=_text(name, "citation", declared),
        devices=_devices(name, declared.get("devices")),
        exact=declared.get("exact") is True,
        bytes_per_edge=_bytes_per_edge(name, declared.get("bytes_per_edge")),
        streams=declared.get("streams") is True,
        in_ranks=declared.get("in_ranks") is True,
        polytopes=_polytopes(name, declared.get("polytopes")),
        rows=_rows(name, declared.get("rows")),
        nonzeros_limit=_nonzeros_limit(name, declared.get("nonzeros_limit")),
        options=_options(name, declared.get("options")),
        availability=plain_availability(availability),
        upper_of_edges=declared.get("upper_of_edges") is True,
        warm_starts=_warm_starts(name, declared.get("warm_starts", [])),
        stays=declared.get("stays") is True,
    )


def packed(card: SolverCard) -> dict[str, Any]:
    """A card in the types of JSON."""
    kinds = {"polytopes": [int(kind) for kind in card.polytopes], "rows": [str(kind) for kind in card.rows]}
    return dataclasses.asdict(card) | kinds


def unpacked(plain: Mapping[str, Any]) -> SolverCard:
    """The inverse of `packed`."""
    card = make_card({**plain, "class": plain["id"]}, Availability(**plain["availability"]))
    origin, source, adapter_hash = (str(plain[field]) for field in ("origin", "source", "adapter_hash"))
    return dataclasses.replace(card, origin=origin, source=source, adapter_hash=adapter_hash)


def plain_availability(availability: Availability) -> Availability:
    """With texts that can stand in a row or on a terminal."""
    texts = {field: plain_text(getattr(availability, field)) for field in ("version", "reason", "remedy")}
    return Availability(ok=bool(availability.ok), apart=bool(availability.apart), **texts)


def plain_text(value: Any) -> str:
    """One line of printable characters, of a length that can be shown."""
    line = " ".join(str(value).split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)[:_LONGEST_TEXT]


def is_id(text: Any) -> bool:
    """Whether `text` may be the id of a solver, or the name of a variant of one."""
    if not isinstance(text, str) or len(text) > _LONGEST_ID:
        return False
    return text.isprintable() and text[:1].isalnum() and not set(text) & set(" |") and not text.endswith(".py")


def _id(name: str, text: Any) -> str:
    """Ids are words of the command line, cells of tables and parts of the names of cases."""
    if not isinstance(text, str):
        raise DeclarationError(f"{name}.id must be a text")
    if not is_id(text):
        raise DeclarationError(
            f"{name}.id is {plain_text(text)[:_LONGEST_ID]!r}: expected at most {_LONGEST_ID} printable characters"
            " without space or '|', the first a letter or a digit, such as my-solver"
        )
    return text


def _text(name: str, field: str, declared: Mapping[str, Any]) -> str:
    text = declared.get(field)
    if not isinstance(text, str):
        raise DeclarationError(f"{name}.{field} must be a text")
    return plain_text(text)


def _devices(name: str, devices: Any) -> tuple[str, ...]:
    if not isinstance(devices, list) or not devices or not all(device in _DEVICES for device in devices):
        raise DeclarationError(f"{name}.devices must name at least one of {' and '.join(_DEVICES)}, and nothing else")
    return tuple(devices)


def _bytes_per_edge(name: str, size: Any) -> float:
    number = isinstance(size, int | float) and not isinstance(size, bool) and math.isfinite(size)
    if not number or size < 0:
        raise DeclarationError(f"{name}.bytes_per_edge must be a number >= 0")
    return float(size)


def _polytopes(name: str, kinds: Any) -> frozenset[Kind]:
    if not isinstance(kinds, list) or not kinds or not all(kind in list(Kind) for kind in kinds):
        raise DeclarationError(
            f"{name}.polytopes must name at least one of instances.Kind, and nothing else: see solvers/base.py"
        )
    return frozenset(map(Kind, kinds))


def _rows(name: str, kinds: Any) -> frozenset[RowKind]:
    if not isinstance(kinds, list) or not all(kind in list(RowKind) for kind in kinds):
        raise DeclarationError(
            f"{name}.rows must name kinds of instances.RowKind, and nothing else: see solvers/base.py"
        )
    return frozenset(map(RowKind, kinds))


def _warm_starts(name: str, parts: Any) -> tuple[str, ...]:
    if not isinstance(parts, list | tuple) or not all(part in PARTS for part in parts):
        raise DeclarationError(f"{name}.warm_starts must name parts of a start, {' and '.join(PARTS)}, or nothing")
    return tuple(parts)


def _nonzeros_limit(name: str, limit: Any) -> int | None:
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise DeclarationError(f"{name}.nonzeros_limit must be None or a whole number >= 1")
    return limit


def _options(name: str, fields: Any) -> tuple[Option, ...]:
    if not isinstance(fields, list) or len(fields) > _MOST_OPTIONS:
        raise DeclarationError(f"{name}.Options has more than {_MOST_OPTIONS} fields")
    return tuple(
        Option(
            name=plain_text(field.get("name")),
            types=tuple(map(plain_text, field.get("types"))),
            default=field.get("default"),
        )
        for field in fields
    )


def _works_in_ranks(solver: Solver) -> bool:
    sharded = sys.modules.get("solvers.sharded")  # slow to import, and loaded where a solver builds on it
    return sharded is not None and isinstance(solver, sharded.ShardedSolver)


def _plain_option(option: Option) -> dict[str, Any]:
    default = option.default if isinstance(option.default, _PLAIN_VALUES) else plain_text(repr(option.default))
    return {"name": option.name, "types": option.types, "default": default}
