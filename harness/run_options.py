"""What `dualbench run` is asked for on the command line: which suite, and how many runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from harness.least_runs import AUTO
from harness.suite import Suite
from instances.errors import InputError


class Repeats(click.ParamType[int | str]):
    """A whole number of at least 1, or auto."""

    name = "repeats"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        return AUTO if value == AUTO else click.IntRange(min=1).convert(value, param, ctx)


def prices_of(texts: Sequence[str]) -> dict[str, float]:
    """Dollars an hour by machine, from texts such as A=0.25; InputError for another one."""
    prices = {}
    for text in texts:
        machine, _, price = text.partition("=")
        try:
            prices[machine] = float(price)
        except ValueError:
            prices[machine] = -1.0
        if not machine or not 0 <= prices[machine] < float("inf"):
            raise InputError(f"--price {text}: expected the letter of a machine and dollars an hour, such as A=0.25")
    return prices


def chosen_suite(suite: str | None, problem: Path | None) -> Suite:
    """The one that is named; InputError unless it is one of the two."""
    from harness.decisions.all_solvers import suite_of
    from harness.suite_file import load_suite

    if problem is not None and suite is None:
        return suite_of(problem)
    if suite is not None and problem is None:
        return load_suite(suite)
    raise InputError("give SUITE or --problem FILE, one of the two: see dualbench run --help")
