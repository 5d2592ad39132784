"""What `dualbench run` is asked for on the command line: which suite, and how many runs."""

from __future__ import annotations

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


def chosen_suite(suite: str | None, problem: Path | None) -> Suite:
    """The one that is named; InputError unless it is one of the two."""
    from harness.decisions.all_solvers import suite_of
    from harness.suite_file import load_suite

    if problem is not None and suite is None:
        return suite_of(problem)
    if suite is not None and problem is None:
        return load_suite(suite)
    raise InputError("give SUITE or --problem FILE, one of the two: see dualbench run --help")
