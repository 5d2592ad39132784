"""The LP that a problem.toml states over tables, as an instance of a suite; see instances/tables/PROBLEM.md."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from instances.content import content_hash
from instances.errors import SpecError
from instances.matching import MatchingLP
from instances.tables.problem import Problem


@dataclass(frozen=True, kw_only=True)
class ProblemSpec:
    """A problem over tables; it is named by the content of its LP, not by its place. Reading it makes the LP."""

    scheme: ClassVar[str] = "problem"
    family: ClassVar[str] = "problem"

    path: str

    def __post_init__(self) -> None:
        _ = self._problem  # what is no problem.toml is refused at once, before any table is read

    @property
    def text(self) -> str:
        return f"problem:path={self.path}"

    @property
    def identity(self) -> str:
        return f"problem:{content_hash(self._lp)}"

    @property
    def sources(self) -> int:
        return self._lp.sources

    @property
    def destinations(self) -> int:
        return self._lp.destinations

    @property
    def expected_edges(self) -> int:
        return self._lp.edges

    @property
    def nbytes(self) -> int:
        return self._lp.nbytes

    @classmethod
    def parse(cls, text: str) -> ProblemSpec:
        """From "problem:path=FILE"; everything after the first "=" is the path."""
        _, _, rest = text.strip().partition(":")
        key, _, path = rest.partition("=")
        if key.strip() != "path" or not path.strip():
            raise SpecError(f"spec {text!r}: write problem:path=FILE with a problem.toml")
        return cls(path=path.strip())

    def read(self) -> MatchingLP:
        return self._lp

    @cached_property
    def _problem(self) -> Problem:
        return Problem.read(Path(self.path))

    @cached_property
    def _lp(self) -> MatchingLP:
        return self._problem.build().lp


READER = ProblemSpec
