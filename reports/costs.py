"""Dollars to a gap, where runs say what an hour of their machine costs: the one place where machines meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports import definitions
from reports.section import Material, Section
from reports.shown import Cell, Table, digits, factor, listed, power
from reports.tables import grid
from reports.time_texts import AT_MOST, NOT_COMPARABLE, bound

_HOUR = 3600.0
_SOLVES = 1000


def prices(runs: Sequence[Mapping[str, Any]], environments: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Dollars an hour by machine, of the last run that says a price."""
    letters = {row.get("id"): row["machine"] for row in environments}
    known = ((letters.get(run.get("environment")), run.get("price_per_hour")) for run in runs)
    return {str(machine): float(price) for machine, price in known if machine is not None and price is not None}


def dollars(outcomes: pd.DataFrame, price_of: Mapping[str, float]) -> pd.DataFrame:
    """The outcomes on machines with a price, and their dollars: a thousand times prepare and run to the target.

    NaN where it was not reached. What is paid for while nobody solves (an idle machine, moving data) is not in it.
    """
    rows = outcomes[outcomes["machine"].isin(list(price_of))]
    an_hour = rows["machine"].map(dict(price_of)).astype(float)
    return rows.assign(dollars=rows["seconds_with_prepare"] * an_hour / _HOUR * _SOLVES)


def section(material: Material) -> Section | None:
    """The section of the page; None where no run says a price."""
    price_of = prices(material.loaded.runs, material.loaded.environments) | dict(material.loaded.prices)
    found = dollars(material.outcomes, price_of)
    if found["dollars"].isna().all():
        return None
    told = [f"machine {machine} at ${digits(price)} an hour" for machine, price in sorted(price_of.items())]
    return Section(
        anchor="dollars",
        title="Dollars to a gap",
        lead=[f"A thousand solves, prepare and run, with {listed(told)} as the suite or the command line says."],
        see=[definitions.TIME],
        tables=[_table(rows, str(power(target)), material) for target, rows in found.groupby("target", sort=True)],
    )


def _table(rows: pd.DataFrame, target: str, material: Material) -> Table:
    known = rows.assign(dollars=rows["dollars"].mask(rows["at_most"]))
    cheapest = known.groupby(["instance", "division"], observed=True)["dollars"].transform("min")
    return grid(
        rows.assign(times=rows["dollars"] / cheapest.where(cheapest > 0)),
        material.instances,
        material.styles,
        name=f"dollars-to-{target}",
        caption=f"Dollars of a thousand solves to a certified gap of {target}; below: times the cheapest by division",
        cell=_cell,
    )


def _cell(row: Mapping[Any, Any]) -> Cell:
    if pd.isna(row["dollars"]):
        return Cell(text="not reached" if row["asked"] else "not asked", muted=True)
    if row["at_most"] is True:
        return Cell(text=bound(digits(row["dollars"]), AT_MOST), note=NOT_COMPARABLE)
    return Cell(text=digits(row["dollars"]), note=factor(row["times"]))
