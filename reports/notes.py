"""What a reader has to know before believing a time, one line each, for the top of the page."""

from __future__ import annotations

import pandas as pd

from reports.shown import count, plural


def few_runs(outcomes: pd.DataFrame) -> list[str]:
    """One line where times rest on fewer runs than METHOD.md asks for."""
    times = outcomes.dropna(subset="seconds")
    few = int((times["repeats"] < times["runs_asked"]).sum())
    if not few:
        return []
    return [
        f"{count(few)} of {plural(len(times), 'time')} rest on fewer runs than the method asks for (5 below 10 s, 3 "
        "below a minute): they say little about how much a time varies."
    ]
