"""How numbers and tables are shown: three significant digits, units in the heads, the same cells everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from harness import records
from reports.csv_cells import safe_texts

ABSENT = "–"
ROWS_SHOWN = 200
MEBIBYTE = 2**20


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a table."""

    text: str
    """What it says."""

    note: str = ""
    """Smaller lines below the text."""

    slot: int = -1
    """From 0 on, the colour of a solver before the text."""

    best: bool = False
    """Set off: the best of its row, whosever it is."""

    muted: bool = False
    """In grey."""

    link: str = ""
    """Where the text leads, within a site."""

    @property
    def packed(self) -> str | list[str]:
        """The text, or [text, note, shade, link] where there is more: what the script of the page makes cells of."""
        shade = "best" if self.best else "muted" if self.muted else ""
        return [self.text, self.note, shade, self.link] if self.note or shade or self.link else self.text


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table."""

    title: str
    """Its head."""

    unit: str = ""
    """Behind the head."""

    group: str = ""
    """A head above several columns."""

    numeric: bool = True
    """Aligned to the right."""

    solver: str = ""
    """The competitor that it is about, where the title says less."""

    slot: int = -1
    """From 0 on, the colour of a solver before the head."""

    @property
    def head(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title


@dataclass(frozen=True, kw_only=True)
class Brief:
    """What a table says of one instance, in a line or two for narrow screens."""

    instance: str
    """Its name."""

    fastest: Cell
    """Who, with the seconds, and below what that is worth."""

    others: str
    """The other solvers asked, the fastest first, and who missed the gap; "" where there are none."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of the page and the file tables/<name>.csv with the same figures in full precision and every row."""

    name: str
    """Of the file."""

    caption: str
    """In one sentence."""

    columns: Sequence[Column]
    """From left to right."""

    rows: Sequence[Sequence[Cell]]
    """The cells; the page shows the first ROWS_SHOWN rows, and its script the others when they are looked for."""

    frame: pd.DataFrame
    """The file."""

    left_out: int = 0
    """How many rows are in the file alone."""

    pinned: int = 0
    """How many of the first rows are about all others: they stay above them in every order."""

    gap: str = ""
    """The certified gap that it is about, where there is one for each."""

    standing: pd.DataFrame | None = None
    """What decides who wins in it, for the script: the rows of outcomes.outcomes at its gap, of its ranking."""

    lead: str = ""
    """A sentence before it."""

    below: str = ""
    """A sentence after it."""

    brief: Sequence[Brief] = ()
    """Its answer for narrow screens, before it."""

    def solver_of(self, row: Sequence[Cell]) -> str:
        """The solver that a row is about, "" where there is none or more."""
        return next((cell.text for column, cell in zip(self.columns, row, strict=True) if column.title == "solver"), "")

    @property
    def more(self) -> int:
        """How many rows of the file are not shown."""
        return self.left_out + len(self.rest)

    @property
    def rest(self) -> list[list[str | list[str]]]:
        """The rows that the page does not show: of each cell Cell.packed."""
        return [[cell.packed for cell in row] for row in self.rows[ROWS_SHOWN:]]

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Neighbouring columns under one head: (head, number of columns); empty where there are none."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return spans if any(column.group for column in self.columns) else []

    @property
    def csv(self) -> bytes:
        return safe_texts(self.frame).to_csv(index=False, lineterminator="\n").encode()

    def markdown(self) -> Markup:
        heads = [f"{column.group}: {column.head}" if column.group else column.head for column in self.columns]
        rules = ["---:" if column.numeric else "---" for column in self.columns]
        rows = [[_markdown_cell(cell) for cell in row] for row in self.rows[:ROWS_SHOWN]]
        lines = [[markdown(head) for head in heads], rules, *rows]
        return Markup("\n".join(f"| {' | '.join(line)} |" for line in lines))  # noqa: S704  # every cell is escaped


def _markdown_cell(cell: Cell) -> str:
    text = markdown(cell.text)
    text = f"**{text}**" if cell.best else text
    return f"{text} ({markdown(cell.note).replace(chr(10), '; ')})" if cell.note else text


def markdown(text: object) -> str:
    """Text that means nothing to Markdown or HTML."""
    if isinstance(text, Markup):
        return str(text)
    plain = str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for character in "\\`*_[]|":
        plain = plain.replace(character, "\\" + character)
    return plain


def digits(value: Any) -> str:
    """Three significant digits: 0.00123, 0.512, 12.3, 12,300; powers of ten beyond 1e-3 and 1e6."""
    if value is None or not math.isfinite(value):
        return ABSENT
    rounded = float(f"{value:.3g}")
    if rounded == 0:
        return "0"
    if not 1e-3 <= abs(rounded) < 1e6:
        return power(rounded)
    decimals = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"


def factor(value: Any) -> str:
    """1.68×."""
    return f"{digits(value)}×"


def power(value: Any) -> str:
    """1e-4, 3.42e-5: for what was asked."""
    return records.power(value, absent=ABSENT)


def measured(value: Any) -> str:
    """3.00e-5, 3.42e-5: for certified gaps."""
    return records.measured(value, absent=ABSENT)


def count(value: Any) -> str:
    """1,000,000."""
    return f"{value:,.0f}" if value is not None and math.isfinite(value) else ABSENT


def compact(value: Any) -> str:
    """100, 25k, 1.01M, 2.5G."""
    if value is None or not math.isfinite(value):
        return ABSENT
    rounded = float(f"{value:.3g}")
    unit, letter = next((pair for pair in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if rounded >= pair[0]), (1.0, ""))
    return f"{rounded / unit:g}{letter}"


def percent(part: float, whole: float) -> str:
    """87.5 %: never rounded up to 100 or down to 0."""
    if not whole:
        return ABSENT
    tenths = round(1000 * part / whole)
    if 0 < part < whole:
        tenths = min(999, max(1, tenths))
    return f"{tenths / 10:g}\N{NO-BREAK SPACE}%"


def plural(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun.removesuffix('y') + 'ies' if noun.endswith('y') else noun + 's'}"


def listed(items: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))
