"""A matching LP stated over tables, and what it becomes. I sources, E edges, R rows of a family."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instances.errors import ProblemError
from instances.matching import MatchingLP
from instances.tables.build import Built, build, no_rows, other_columns
from instances.tables.parse import parsed
from instances.tables.statement import Statement
from instances.words import named, shown

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem(Statement):
    """What problem.toml states (PROBLEM.md beside this file)."""

    path: Path | None = None
    """The file it was read from."""

    @classmethod
    def read(cls, path: Path | str) -> Problem:
        """The statement in a problem.toml, whose relative paths begin beside it. No table is read yet.

        Raises ProblemError, in one line with file and key, for what is no such statement.
        """
        path = Path(path)
        try:
            values = tomllib.loads(path.read_bytes().decode("utf-8-sig"))  # some editors begin a file with a mark
        except OSError as fault:
            raise ProblemError(f"{path} cannot be read ({fault.strerror}): give a problem.toml") from fault
        except ValueError as fault:
            raise ProblemError(f"{path} is no TOML ({fault}): see PROBLEM.md for what it holds") from fault
        return cls(**vars(parsed(str(path), values, path.parent)), path=path)

    @classmethod
    def from_tables(
        cls,
        *,
        edges: Any,
        source: str,
        sources: Mapping[str, Any],
        limits: Sequence[Mapping[str, Any]],
        destination: str | None = None,
        duplicates: str = "error",
        edge_at_most: str | None = None,
        maximise: str | None = None,
        minimise: str | None = None,
    ) -> Problem:
        """The same statement from Python.

        edges, and each `table` of sources and limits: a DataFrame of pandas or Polars, an Arrow table, or files, whose
        relative paths begin in the working folder. sources and limits have the keys of problem.toml; edge_at_most is
        at_most of its [edges].
        """
        given = {"files": edges, "source": source, "destination": destination, "duplicates": duplicates}
        given["at_most"] = edge_at_most
        values = {"maximise": maximise, "minimise": minimise, "sources": sources, "limits": limits}
        present = {key: value for key, value in values.items() if value is not None}
        return cls(**vars(parsed("from_tables", {**present, "edges": given}, Path.cwd())))

    def build(
        self, threads: int | None = None, memory_limit: int | None = None, progress: Progress | None = None
    ) -> Stated:
        """The LP of the tables. memory_limit: bytes of it all, the rest lies in temporary files; progress: told each
        step in a few words.

        Raises ProblemError, in one line with file, column and an example row, for data that make no LP.
        """
        built = build(self, threads=threads, memory_limit=memory_limit, progress=progress)
        return Stated(problem=self, built=built)


@dataclass(frozen=True, kw_only=True, eq=False)
class Stated:
    """A problem with its LP, and the way from there back to the keys of the tables."""

    problem: Problem
    built: Built

    @property
    def lp(self) -> MatchingLP:
        return self.built.lp

    @property
    def maximise(self) -> bool:
        """Whether lp.c is the negative of the objective's column."""
        return self.problem.maximise

    @property
    def source_keys(self) -> Any:
        """Arrow array [I]: the key of each source of the LP."""
        return self.built.source.keys

    @property
    def notes(self) -> tuple[str, ...]:
        """What the tables hold that the LP does not need, in sentences."""
        return self.built.notes

    def row_keys(self, family_name: str) -> Any | None:
        """Arrow array [R] with the key of each row, a struct where several columns are one key; None where all edges
        lie in one row. Raises ProblemError where no limit has this name.
        """
        for limit, family in zip(self.problem.limits, self.built.families, strict=True):
            if limit.name == family_name:
                return None if family is None else family.keys
        names = ", ".join(limit.name for limit in self.problem.limits)
        raise ProblemError(f"no limit is named {shown(family_name)}: the problem has {names}")

    def edge_columns(self, names: Sequence[str], edges: Any = None) -> Any:
        """Arrow table of these columns of the edges, in the order of the LP.

        edges: int64[n], to have these edges alone; default all E. Columns of keys are at hand, for all others the
        tables are read once more.
        """
        if isinstance(names, str):
            raise ProblemError(f"edge_columns: names is {named(names)}: give a list of columns")
        import pyarrow as pa

        columns = {name: self.built.keys_of_edges(name, edges) for name in names}
        others = [name for name, column in columns.items() if column is None]
        if others:
            found = self._others(others, edges)
            columns |= {name: found[name] for name in others}
        return pa.table(columns)

    def _others(self, names: Sequence[str], edges: Any) -> Any:
        import pyarrow as pa

        if edges is not None and not len(edges):
            return no_rows(self.problem, names)
        table = other_columns(self.built, self.problem, names)
        return table if edges is None else table.take(pa.array(edges))
