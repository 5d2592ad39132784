"""What the harness knows of solvers: cards, for those from outside made by a child process under a time limit.

No command imports an adapter from outside into its own process: that code could change the records, the clock or the
judge, end the process or never return.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.answers import availability
from harness.inherited import of_children
from instances import InputError
from solvers import Availability, Settings, registry
from solvers.card import DeclarationError, SolverCard, declaration, make_card, plain_text
from solvers.registry import broken_files, file_hash, origin_file, points_of_others, unknown_solver
from solvers.settings import check_options, parse_options

#: Seconds that importing an adapter and its available() may take together.
SECONDS = 20.0
_STARTING = 30.0  # seconds beyond it for the child process itself
_REPAIR = "repair the adapter: dualbench check"


class BrokenAdapterError(InputError):
    """An adapter from outside that cannot be used; the text names its file or distribution, and the fault."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Every solver that has a name, by id, and one line for each adapter that is left out because it is broken."""

    cards: Mapping[str, SolverCard]
    broken: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where an adapter from outside is."""

    origin: str
    """As in SolverCard."""

    source: str
    """As in SolverCard."""

    name: str
    """The name of its entry point."""

    content: str
    """A hash of its file."""


def card(solver_id: str) -> SolverCard:
    """The card of a solver by id, or by the path of a .py file.

    Raises BrokenAdapterError for an adapter that cannot be used, InputError for one that is unknown.
    """
    if solver_id.endswith(".py"):
        return _usable(_described([_place_of_file(solver_id)])[0])
    if solver_id in registry():
        return _own_card(solver_id)

    places = _places()
    for place, described in zip(places, _described(places), strict=True):
        if isinstance(described, SolverCard) and described.id == solver_id:
            return described
        if not isinstance(described, SolverCard) and place.name == solver_id:
            raise BrokenAdapterError(described)

    known = listing()
    left_out = "".join(f"; left out: {line}" for line in known.broken)
    raise InputError(f"{unknown_solver(solver_id, known.cards)}{left_out}")


def listing() -> Listing:
    """The solvers of this package, and those behind the entry points of others."""
    cards = {solver_id: _own_card(solver_id) for solver_id in registry()}
    broken = list(broken_files())
    for described in _described(_places()):
        if not isinstance(described, SolverCard):
            broken.append(described)
        elif described.id in cards:
            broken.append(
                f"{described.source} is left out: its id {described.id!r} is that of {cards[described.id].source}"
            )
        else:
            cards[described.id] = described
    return Listing(cards=dict(sorted(cards.items())), broken=tuple(broken))


def availability_now(of: SolverCard) -> Availability:
    """Whether the solver can run. One of this package is asked again: libraries that this process has loaded matter."""
    return of.availability if of.origin else availability(registry()[of.id])


def check_settings(of: SolverCard, settings: Settings) -> None:
    """OptionError for options that it does not know; those from outside are checked by name and type alone."""
    if of.origin:
        check_options(of.options, settings.options)
    else:
        parse_options(registry()[of.id].Options, settings)


def _own_card(solver_id: str) -> SolverCard:
    solver = registry()[solver_id]
    return replace(make_card(declaration(solver), availability(solver)), source="dualbench")


def _usable(described: SolverCard | str) -> SolverCard:
    if not isinstance(described, SolverCard):
        raise BrokenAdapterError(described)
    return described


def _place_of_file(solver_id: str) -> _Place:
    try:
        path = Path(solver_id).resolve()
        there = path.is_file()
    except (OSError, RuntimeError) as error:  # a name too long, a loop of links
        raise InputError(f"no solver file at {solver_id}: {error}") from error
    if not there:
        raise InputError(f"no solver file at {path}")
    content = file_hash(str(path))
    if not content:
        raise BrokenAdapterError(f"{path} cannot be read: change its permissions")
    return _Place(origin=str(path), source=str(path), name="", content=content)


def _places() -> list[_Place]:
    """The entry points of other distributions; an unreadable list of them is none."""
    places: list[_Place] = []
    for point in points_of_others():
        distribution = plain_text(getattr(point.dist, "name", None) or "unknown")
        origin = point.value.strip()
        source = f"the distribution {distribution} (entry point {plain_text(point.name)})"
        places.append(_Place(origin=origin, source=source, name=point.name, content=file_hash(origin_file(origin))))
    return places


#: By location, the card or the line about what is broken; kept until the process ends or the file changes.
_known: dict[_Place, SolverCard | str] = {}


def _described(places: Sequence[_Place]) -> list[SolverCard | str]:
    """The card of each location, or a line about what is broken; known locations start no process."""
    missing = [place for place in places if place not in _known]
    if missing:
        _known.update(zip(missing, _ask(missing), strict=True))
    return [_known[place] for place in places]


def _ask(places: Sequence[_Place]) -> list[SolverCard | str]:
    asked = json.dumps({"origins": [place.origin for place in places], "seconds": SECONDS})
    command = [sys.executable, "-P", "-m", "harness.declare"]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command,
            input=asked.encode(),
            capture_output=True,
            env={**os.environ, **of_children(1)},
            timeout=SECONDS + _STARTING,
            check=True,
        )
        answers = json.loads(done.stdout)
    except (OSError, ValueError, RecursionError, subprocess.SubprocessError) as error:
        return [f"{place.source}: the process that loads it failed ({plain_text(error)})" for place in places]
    return [_card_or_line(place, one) for place, one in zip(places, answers, strict=True)]


def _card_or_line(place: _Place, answer: Mapping[str, Any]) -> SolverCard | str:
    values = answer["told"]
    end = plain_text(answer["end"])
    try:
        declared = dict(values[0]) if values else {}
        if "refused" in declared:
            prefix = "" if place.source == place.origin else f"{place.source}: "
            return plain_text(f"{prefix}{declared['refused']}")
        if not declared:
            return plain_text(f"{place.source} cannot be loaded ({end}): repair it")
        declared_card = make_card(declared, _availability(values, end))
    except DeclarationError as error:
        return plain_text(f"{place.source}: {error}")
    except (TypeError, ValueError, KeyError, AttributeError):
        return plain_text(f"{place.source}: what it says of itself cannot be read: repair it")
    if declared_card.id in registry():
        of_ours = f"its id {declared_card.id!r} is that of a solver of dualbench"
        return f"{place.source} is left out: {of_ours}, choose another"
    return replace(declared_card, origin=place.origin, source=place.source, adapter_hash=place.content)


def _availability(values: Sequence[Any], end: str) -> Availability:
    if len(values) < 2:
        return Availability(ok=False, reason=f"available(): {end or 'it reported nothing'}", remedy=_REPAIR)
    return Availability(**values[1])
