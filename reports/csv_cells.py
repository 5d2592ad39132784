"""Frames as CSV files that a spreadsheet shows and does not calculate."""

from __future__ import annotations

from typing import Any

import pandas as pd

from harness import records


def safe_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with every text a plain one, and an apostrophe before those that would be taken for a formula."""
    texts = [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])]
    safe = frame.assign(**{name: _safe_column(frame[name]) for name in texts})
    return safe.rename(columns=_safe)


def _safe_column(values: pd.Series) -> pd.Series:
    """Each distinct text is looked at once."""
    column = values.astype(object)
    known = {value: _safe(value) for value in column.unique()}
    return column.map(known)


def _safe(value: Any) -> Any:
    return records.csv_text(value) if isinstance(value, str) else value
