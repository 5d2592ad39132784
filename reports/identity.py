"""Which rows belong together: instances, machines, and competitors (a solver as it was set up)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

import pandas as pd

from harness import records
from reports.rankings import machine_of

UNKNOWN_MACHINE = "?"


def identify(
    cases: pd.DataFrame, environments: Sequence[Mapping[str, Any]]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Adds "machine" to both, "competitor" to the cases, and makes instance names unique and ordered."""
    letters = machine_letters(environments)
    named = [{**row, "machine": letters[str(row.get("id", ""))]} for row in environments]
    if cases.empty:  # records of runs over ranks alone
        return cases.assign(machine="", competitor=""), named
    machine = cases["environment"].map(lambda key: letters.get(key, UNKNOWN_MACHINE))
    cases = cases.assign(instance=_instance_names(cases), machine=machine)
    cases = cases.assign(competitor=_competitors(cases))
    order = cases.assign(size=cases["edges"].fillna(cases["cells"]))
    order = order.sort_values(["family", "size", "cells", "instance"], kind="stable")
    return cases.assign(instance=pd.Categorical(cases["instance"], order["instance"].unique(), ordered=True)), named


def machine_letters(environments: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Environment id -> letter. Environments on like hardware share one: versions do not make another machine."""
    hardware = {str(row.get("id", "")): hardware_of(row) for row in environments}
    distinct = sorted(set(hardware.values()))
    return {key: _letter(distinct.index(value)) for key, value in hardware.items()}


def hardware_of(environment: Mapping[str, Any]) -> str:
    """What is the same for environments on like hardware."""
    memory = environment.get("memory_bytes")
    gibibytes = round(memory / 2**30) if isinstance(memory, (int, float)) else None
    return json.dumps(
        [environment.get("cpu"), environment.get("cores"), gibibytes, environment.get("gpu")], default=str
    )


def _letter(index: int) -> str:
    return ascii_uppercase[index] if index < len(ascii_uppercase) else str(index + 1)


def _instance_names(cases: pd.DataFrame) -> pd.Series:
    """One name a content: the shortest of those it came under, with the beginning of its hash where others share it."""
    hashes = zip(cases["content_hash"], cases["spec_hash"], strict=True)
    content = pd.Series(records.contents(hashes), index=cases.index, dtype=str)
    shortest = (
        cases["instance"].groupby(content).transform(lambda names: min(names, key=lambda name: (len(name), name)))
    )
    shared = content.groupby(shortest).transform("nunique") > 1
    return shortest.where(~shared, shortest + " (" + content.str[:6] + ")")


def _competitors(cases: pd.DataFrame) -> pd.Series:
    """The solver's id, or the name of its variant, and after it every setting in which its own cases differ.

    They must not be averaged. Where there are several machines, all names carry theirs, and no setting is named that
    differs between machines alone.
    """
    details = (
        cases["solver_version"].map(lambda version: version and f"v{version}"),
        cases["options"].replace("", "default options"),
        cases["dtype"],
        cases["threads"].map(lambda number: "" if pd.isna(number) else f"{number:.0f} threads"),
        cases["device"],
    )
    asked = cases["variant"].where(cases["variant"] != "", cases["solver"])
    name = asked
    for detail in details:
        known = detail.where((detail != "") & (cases["status"] != "skipped"))
        differs = known.groupby([asked, cases["machine"]]).transform("nunique") > 1
        name = name.where(~differs | (detail == ""), name + " · " + detail)
    several = len(cases["machine"].unique()) > 1
    return name + cases["machine"].map(machine_of) if several else name
