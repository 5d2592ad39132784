"""What came of a problem, as tables and files: what `solve_problem` returns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.clock import Stopwatch
from harness.decisions.folder import write_folder
from harness.decisions.outcome import Outcome
from harness.decisions.summary import summary_of
from harness.decisions.tables import decisions_table, prices_table
from harness.decisions.words import in_words


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution(Outcome):
    """Decisions and prices by the user's own keys; OUTPUTS.md beside this file defines the columns of both tables."""

    @cached_property
    def decisions(self) -> Any:
        """An Arrow table of the edges with x > 0: the keys of source and destination, columns asked for, and x."""
        return decisions_table(self.stated, self.x, self.columns)

    @property
    def all_edges(self) -> Any:
        """The same table of all edges, with those of x = 0 too."""
        return decisions_table(self.stated, self.x, self.columns, all_edges=True)

    @cached_property
    def prices(self) -> Any:
        """An Arrow table with a row for each row of each family of limits."""
        return prices_table(self.stated, self.x, self.dual)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Status, certificate, objective in the user's sense, what binds: what summary.json holds, in plain types."""
        return summary_of(self, self.prices)

    def write(self, out: Path | str, *, all_edges: bool = False) -> None:
        """Write decisions, prices and summary as the folder `out`, whole or not at all; see OUTPUTS.md.

        Replaces what an earlier call wrote there. Raises InputError where `out` holds anything else.
        """
        stopwatch = Stopwatch()
        decisions = self.all_edges if all_edges else self.decisions
        write_folder(Path(out), decisions, self.prices, self.summary, stopwatch)

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        return in_words(self.summary)
