"""One section of the page, and what sections are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from reports.canvas import Drawing
from reports.load import Loaded
from reports.palette import Style
from reports.shown import Cell, Table


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the page, in the order of its fields."""

    anchor: str
    """Its name within the page."""

    title: str
    """Its heading."""

    lead: Sequence[str] = ()
    """Sentences before its figures and tables."""

    points: Sequence[str] = ()
    """A list of sentences."""

    drawings: Sequence[Drawing] = ()
    """Figures, side by side."""

    tables: Sequence[Table] = ()
    """Tables, one below the other."""

    more: Sequence[str] = ()
    """Sentences at its end."""

    commands: Sequence[str] = ()
    """Command lines, as they were typed."""

    terms: Sequence[tuple[str, str]] = ()
    """Definitions: a term and its text."""

    see: Sequence[str] = ()
    """The terms of definitions.py that it needs."""

    @property
    def key(self) -> dict[str, Style]:
        """The legend that the drawings share."""
        return {name: style for drawing in self.drawings for name, style in drawing.key.items()}


@dataclass(frozen=True, kw_only=True)
class Material:
    """What several sections are made from."""

    loaded: Loaded
    """Everything that was read."""

    cases: pd.DataFrame
    """One row for each case."""

    outcomes: pd.DataFrame
    """One row for each target, instance and competitor (outcomes.outcomes)."""

    winners: pd.DataFrame
    """One row for each target, instance and machine (wins.winners)."""

    styles: Mapping[str, Style]
    """How each competitor is drawn."""

    instances: Mapping[str, Cell]
    """The first cell of a row by instance."""

    model_ranks: int | None = None
    """How far the model of scaling is drawn; None for four times the ranks that were measured."""
