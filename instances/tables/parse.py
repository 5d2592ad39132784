"""From the keys of problem.toml, or of `Problem.from_tables`, to its parts; each refusal is one line with the key."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from instances.errors import ProblemError
from instances.tables.statement import DUPLICATES, Amount, Edges, Files, Frame, Limit, SourceLimits, Statement, Table
from instances.words import named, shown

_TOP = ("maximise", "minimise", "edges", "sources", "limits")
_EDGES = ("files", "source", "destination", "duplicates", "at_most")
_SOURCES = ("at_most", "each_at_most", "equals", "table", "key")
_LIMIT = ("name", "by", "use", "at_most", "at_least", "equals", "penalty", "table", "key")


class Section:
    """The values of one table of problem.toml, taken key by key and refused with the place where they stand."""

    def __init__(self, where: str, values: Any, allowed: tuple[str, ...], folder: Path) -> None:
        if not isinstance(values, Mapping):
            raise ProblemError(f"{where} is {named(values)}: give a table with keys of {', '.join(allowed)}")
        for key in values:
            if key not in allowed:
                raise ProblemError(f"{where} has no key {shown(str(key))}{_meant(str(key), allowed)}")
        self._where = where
        self._values = values
        self._folder = folder

    def refuse(self, key: str, expected: str) -> ProblemError:
        given = self._values[key]
        words = shown(given) if isinstance(given, str) else named(given)
        if isinstance(given, (int, float)):
            words = str(given).lower()  # a boolean as TOML writes it
        return ProblemError(f"{self._where} {key} is {words}: {expected}")

    def value(self, key: str) -> Any:
        return self._values.get(key)

    def text(self, key: str, meaning: str, *, required: bool = True) -> str | None:
        value = self._values.get(key)
        if value is None and not required:
            return None
        if value is None:
            raise ProblemError(f"{self._where} lacks {key}: give {meaning}")
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(key, f"give {meaning}")
        return value

    def texts(self, key: str, meaning: str) -> tuple[str, ...]:
        """One text or a list of them, () where there is none."""
        value = self._values.get(key)
        if value is None:
            return ()
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, Sequence) or not listed or not all(isinstance(one, str) and one for one in listed):
            raise self.refuse(key, f"give {meaning}, or a list of them")
        return tuple(listed)

    def amount(self, key: str) -> Amount | None:
        """One number that is not NaN, or the name of a column."""
        value = self._values.get(key)
        if value is None or (isinstance(value, str) and value):
            return value
        if not _is_number(value) or math.isnan(value):
            raise self.refuse(key, "give a number, or the name of a column")
        return float(value)

    def table(self, key: str, *, required: bool = False) -> Table | None:
        """Files, or a frame."""
        value = self._values.get(key)
        if value is None and required:
            raise ProblemError(f"{self._where} lacks {key}: give files, a folder or a glob")
        if value is None:
            return None
        if isinstance(value, (str, list, tuple, Path)):
            listed = [value] if isinstance(value, (str, Path)) else value
            if not listed or not all(isinstance(one, (str, Path)) and str(one) for one in listed):
                raise self.refuse(key, "give a path, a folder or a glob, or a list of them")
            return Files(patterns=tuple(str(one) for one in listed), folder=self._folder)
        return Frame(label=f"the table of {self._where}", data=value)


def parsed(where: str, values: Mapping[str, Any], folder: Path) -> Statement:
    """What `values` say; ProblemError with `where` and the key. Relative paths begin at `folder`."""
    top = Section(where, values, _TOP, folder)
    maximise = top.text("maximise", "a column of the edges", required=False)
    minimise = top.text("minimise", "a column of the edges", required=False)
    if (maximise is None) == (minimise is None):
        given = "neither maximise nor minimise" if maximise is None else "both maximise and minimise"
        raise ProblemError(f"{where} has {given}: give one of them, a column of the edges")
    limits = top.value("limits")
    if not isinstance(limits, Sequence) or isinstance(limits, str) or not limits:
        raise ProblemError(f"{where} has no [[limits]]: give at least one, without limits each source stands alone")
    families = tuple(_limit(f"{where} [[limits]] {n}", one, folder) for n, one in enumerate(limits, 1))
    names = [family.name for family in families]
    for name in names:
        if names.count(name) > 1:
            raise ProblemError(f"{where} has two [[limits]] named {shown(name)}: give each a name of its own")
    if "edges" not in values:
        raise ProblemError(f"{where} has no [edges]: see PROBLEM.md for what it holds")
    edges = _edges(f"{where} [edges]", top.value("edges"), folder)
    if "sources" not in values and edges.at_most is None:
        raise ProblemError(f"{where} has no [sources]: see PROBLEM.md for what it holds")
    return Statement(
        objective=str(maximise or minimise),
        maximise=maximise is not None,
        edges=edges,
        sources=_sources(f"{where} [sources]", values.get("sources", {}), folder, edges),
        limits=families,
    )


def _edges(where: str, values: Any, folder: Path) -> Edges:
    section = Section(where, values, _EDGES, folder)
    table = section.table("files", required=True)
    assert table is not None
    duplicates = section.text("duplicates", f"one of {', '.join(DUPLICATES)}", required=False) or "error"
    if duplicates not in DUPLICATES:
        raise section.refuse("duplicates", f"give one of {', '.join(DUPLICATES)}")
    return Edges(
        table=table,
        source=str(section.text("source", "the column of the source's key")),
        destination=section.text("destination", "the column of the destination's key", required=False),
        duplicates=duplicates,
        at_most=section.text("at_most", "a column of the edges", required=False),
    )


def _sources(where: str, values: Any, folder: Path, edges: Edges) -> SourceLimits:
    section = Section(where, values, _SOURCES, folder)
    limits = SourceLimits(
        at_most=section.amount("at_most"),
        each_at_most=section.amount("each_at_most"),
        equals=section.amount("equals"),
        table=section.table("table"),
        key=section.text("key", "a column of the table", required=False) or edges.source,
    )
    limited = edges.at_most is not None
    if not limits.amounts and not limited:
        raise ProblemError(f"{where} limits nothing: give at_most, each_at_most or equals")
    if limits.at_most is not None and limits.equals is not None:
        raise ProblemError(f"{where} has both at_most and equals: give one of them")
    _check_amounts(section, where, limits)
    finite = [value for value in limits.amounts.values() if value != math.inf]
    if (not finite and not limited) or limits.equals == math.inf:
        raise ProblemError(f"{where}: every amount is inf: a source needs a finite at_most, each_at_most or equals")
    return limits


def _limit(where: str, values: Any, folder: Path) -> Limit:
    section = Section(where, values, _LIMIT, folder)
    name = section.text("name", "a name for its rows, such as campaign")
    by = section.texts("by", "a column of the edges")
    use = section.amount("use")
    if not str(name).isprintable():
        raise section.refuse("name", "give printable words")
    limit = Limit(
        name=str(name),
        by=by,
        use=1.0 if use is None else use,
        at_most=section.amount("at_most"),
        at_least=section.amount("at_least"),
        equals=section.amount("equals"),
        penalty=section.amount("penalty"),
        table=section.table("table"),
        key=section.texts("key", "a column of the table") or by,
    )
    where = f"{where} ({name})"
    if not limit.amounts.keys() & {"at_most", "at_least", "equals"}:
        raise ProblemError(f"{where} limits nothing: give at_most, at_least or equals")
    if limit.equals is not None and limit.amounts.keys() & {"at_most", "at_least"}:
        raise ProblemError(f"{where} has equals beside another limit: give equals alone, or at_most and at_least")
    if not by and limit.table is not None:
        raise ProblemError(f"{where} has a table and no by: give by, the columns of the edges that name its rows")
    if len(limit.key) != len(by):
        raise ProblemError(f"{where}: key has {len(limit.key)} columns, by {len(by)}: give one for each")
    if isinstance(limit.use, float) and not math.isfinite(limit.use):
        raise section.refuse("use", "give a finite number, or a column of the edges")
    at_least, at_most = limit.at_least, limit.at_most
    if isinstance(at_least, float) and isinstance(at_most, float) and at_least > at_most:
        raise ProblemError(f"{where} has at_least {at_least:g} above at_most {at_most:g}: swap or widen them")
    _check_amounts(section, where, limit)
    return limit


def _check_amounts(section: Section, where: str, limits: SourceLimits | Limit) -> None:
    """Amounts that are columns need a table, and some are never negative."""
    for key, value in limits.amounts.items():
        if isinstance(value, str) and limits.table is None:
            raise ProblemError(f"{where} {key} is the column {shown(value)} of no table: give table=, or a number")
        if isinstance(value, float) and key in limits.never_negative and value < 0:
            raise section.refuse(key, "it must be at least 0")


def _meant(key: str, allowed: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, allowed, n=1)
    return f"{f', did you mean {close[0]}?' if close else ':'} it takes {', '.join(allowed)}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
