"""How numbers, words and axes are shown."""

from __future__ import annotations

import math
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import canvas
from reports.shown import (
    ROWS_SHOWN,
    Cell,
    Column,
    Table,
    compact,
    digits,
    listed,
    markdown,
    measured,
    percent,
    plural,
    power,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0012345, "0.00123"),
        (0.5, "0.500"),
        (9.996, "10.0"),
        (12345, "12,300"),
        (1234567, "1.23e6"),
        (2e-5, "2e-5"),
        (-3.14159, "-3.14"),
        (0, "0"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_three_significant_digits(value: float | None, text: str) -> None:
    assert digits(value) == text


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.floats(1e-15, 1e15))
def test_shown_numbers_are_within_half_a_unit_of_the_third_digit(value: float) -> None:
    for text in (digits(value), power(value)):
        assert float(text.replace(",", "")) == pytest.approx(value, rel=5.001e-3)


@pytest.mark.parametrize(
    ("value", "text"), [(1e-4, "1e-4"), (3.1e-4, "3.10e-4"), (2.5e-10, "2.50e-10"), (0.0, "0"), (math.nan, "–")]
)
def test_powers(value: float, text: str) -> None:
    assert power(value) == text


def test_a_measured_gap_keeps_its_zeros() -> None:
    assert [measured(value) for value in (1e-4, 3.417e-5, 0.0)] == ["1.00e-4", "3.42e-5", "0"]


def test_words() -> None:
    assert [compact(value) for value in (40, 25_000, 1_000_000, 2.5e8, 1e12)] == ["40", "25k", "1M", "250M", "1000G"]
    assert [plural(1, "family"), plural(2, "family"), plural(1200, "case")] == ["1 family", "2 families", "1,200 cases"]
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert [percent(1, 3), percent(9999, 10000), percent(1, 10000), percent(2, 2), percent(0, 0)] == [
        *("33.3\N{NO-BREAK SPACE}%", "99.9\N{NO-BREAK SPACE}%", "0.1\N{NO-BREAK SPACE}%", "100\N{NO-BREAK SPACE}%"),
        "–",
    ]


def test_markdown_means_only_itself() -> None:
    assert markdown("a|b <i> *c* `d`") == r"a\|b &lt;i&gt; \*c\* \`d\`"
    table = Table(
        name="t",
        caption="c",
        columns=[Column(title="x", numeric=False), Column(title="y", unit="s", group="g")],
        rows=[[Cell(text="a|b"), Cell(text="1", note="n", best=True)]],
        frame=pd.DataFrame(),
    )
    assert table.markdown().splitlines() == ["| x | g: y (s) |", "| --- | ---: |", r"| a\|b | **1** (n) |"]
    assert table.groups == [("", 1), ("g", 1)]


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.floats(-12, 9), st.floats(0.4, 15))
def test_an_axis_has_ticks_within_it_and_not_too_many(start: float, decades: float) -> None:
    low, high = 10.0**start, 10.0 ** (start + decades)
    ticks = canvas.log_ticks(low, high)
    assert 1 <= len(ticks) <= 8
    assert all(low * (1 - 1e-9) <= tick <= high * (1 + 1e-9) for tick in ticks)


def test_text_of_a_drawing_is_plain_and_safe() -> None:
    with canvas.settings():
        figure, axes = canvas.new_figure()
        canvas.titles(axes, "a <b> $x$ 名", "x", "y")
        drawing = canvas.render(figure, "name", 'a "title"')
    assert "a &lt;b&gt; $x$ 名" in drawing.inline
    assert 'aria-label="a &quot;title&quot;"' in drawing.inline
    assert all(name.startswith("name-") for name in re.findall(r'\bid="([^"]+)"', drawing.inline))


def test_a_row_that_the_page_does_not_show_keeps_its_notes_shades_and_links() -> None:
    plain = [Cell(text="plain")]
    whole = [Cell(text="one", note="below", best=True, link="there.html")]
    rows = [*[plain] * ROWS_SHOWN, plain, whole]
    table = Table(name="t", caption="c", columns=[Column(title="a")], rows=rows, frame=pd.DataFrame())
    assert table.rest == [["plain"], [["one", "below", "best", "there.html"]]]
