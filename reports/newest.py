"""Which of many published records count today: the newest run of each solver on each instance and machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness import records
from reports.environments import machine
from reports.identity import UNKNOWN_MACHINE, hardware_of
from reports.load import load

_CASE = ["machine", "instance", "competitor"]


def published_cases(root: Path) -> pd.DataFrame:
    """The cases of the default division of every folder below `root` that holds records.

    folder: relative to `root`. machine: in words. competitor: the solver, or the variant's name. content: what tells
    instances of one name apart.
    """
    folders = sorted(path.parent for path in root.rglob(records.RECORDS_FILE))
    loaded = {folder.relative_to(root).as_posix(): load([folder]) for folder in folders}
    parts = [
        each.cases.assign(folder=name, instance=each.cases["instance"].astype(str)) for name, each in loaded.items()
    ]
    cases = pd.concat([part for part in parts if len(part)], ignore_index=True)
    cases = cases[cases["division"] == records.Division.DEFAULT].reset_index(drop=True)
    pairs = zip(cases["content_hash"], cases["spec_hash"], strict=True)
    words = _words([row for each in loaded.values() for row in each.environments])
    return cases.assign(
        machine=cases["environment"].map(words).fillna(UNKNOWN_MACHINE),
        competitor=cases["variant"].where(cases["variant"] != "", cases["solver"]),
        content=records.contents(pairs),
    )


def _words(environments: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """By environment its machine; like hardware has the words of its last environment."""
    last = {hardware_of(row): machine(row) for row in environments}
    return {str(row.get("id", "")): last[hardware_of(row)] for row in environments}


def newest(cases: pd.DataFrame) -> pd.DataFrame:
    """Of each solver on each instance and machine the cases of the folder that was written last.

    A folder in which a case was only skipped gives way to one in which it was tried. An instance that was made anew, of
    another content, is another one: of each name the newest content counts, and nothing measured on an older one.
    """
    cases = _of_newest(cases, ["machine", "instance"], "content")
    tried = (cases["status"] != "skipped").groupby([cases[name] for name in _CASE]).transform("any")
    cases = _of_newest(cases[~tried | (cases["status"] != "skipped")], _CASE, "folder")
    order = cases.sort_values(["family", "edges", "cells", "instance"], kind="stable")["instance"].unique()
    cases = cases.assign(instance=pd.Categorical(cases["instance"], order, ordered=True))
    return cases.sort_values(["machine", "instance", "competitor", "tolerance", "repeat"]).reset_index(drop=True)


def _of_newest(cases: pd.DataFrame, key: list[str], what: str) -> pd.DataFrame:
    """The rows whose `what` is that of the row of their key that was written last."""
    last = cases.sort_values(["time", "folder"], kind="stable").groupby(key)[what].transform("last")
    return cases[cases[what] == last.loc[cases.index]]
