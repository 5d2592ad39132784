"""The runs of a site: each a folder of records with its page, and the times of all of them in one table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness import records
from reports import environments, outcomes, wins
from reports.load import Loaded, load
from reports.panel import slug

#: Columns of `times` that say which measurement a row is of.
PLACE = ["run", "target", "instance", "machine", "division"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that one folder holds."""

    name: str
    """Of the folder; of several with one name, the later ones have a number."""

    loaded: Loaded
    """Its records."""

    times: pd.DataFrame
    """One row a target, instance and competitor that was asked: the columns of outcomes.outcomes, with "run", "day",
    "commit", "hardware", "family", "solver", and what wins.winners says of its place; empty without cases."""

    @property
    def folder(self) -> str:
        """Of its page, below that of the site."""
        return f"runs/{slug(self.name)}"

    @property
    def day(self) -> str:
        """The first day it was measured on, "" where no record says."""
        others = (*self.loaded.scaling, *self.loaded.recurring, *self.loaded.whole, *self.loaded.serving)
        rows = [*self.loaded.cases["time"], *(str(row.get("time") or "") for row in others)]
        return min((time[:10] for time in rows if time), default="")


def read_runs(inputs: Sequence[Path]) -> list[Run]:
    """One run an input, by day. An input without records of its own stands for all folders in it that have some."""
    names: dict[str, int] = {}
    found = []
    for path in inputs:
        name = path.resolve().name
        names[name] = names.get(name, 0) + 1
        loaded = load(list(_folders(path)))
        named = name if names[name] == 1 else f"{name} ({names[name]})"
        found.append(Run(name=named, loaded=loaded, times=_times(named, loaded)))
    return sorted(found, key=lambda run: (run.day, run.name))


def _folders(path: Path) -> Iterable[Path]:
    if not path.is_dir() or (path / records.RECORDS_FILE).exists():
        return [path]
    below = sorted(folder for folder in path.iterdir() if (folder / records.RECORDS_FILE).exists())
    if not below:
        raise records.InputError(
            f"{path} holds no {records.RECORDS_FILE}, nor does a folder in it: give a folder that `dualbench run "
            "--out` wrote, or one of such folders"
        )
    return below


def _times(name: str, loaded: Loaded) -> pd.DataFrame:
    cases = loaded.cases
    if cases.empty:
        return pd.DataFrame()
    found = outcomes.outcomes(cases)
    place = ["target", "instance", "machine", "division"]
    best = wins.winners(found)[[*place, "winner", "seconds", "at_most", "level", "given_less", "verdict"]]
    rows = found[found["asked"]].merge(
        best.rename(columns={"seconds": "fastest", "at_most": "fastest_at_most"}), on=place, how="left"
    )

    first = cases.drop_duplicates("competitor").set_index("competitor")
    hardware = {row["machine"]: environments.machine(row) for row in loaded.environments}
    commits = {str(row.get("commit") or "")[:7] for row in loaded.environments} - {""}
    families = cases.drop_duplicates("instance").set_index("instance")["family"]
    return rows.assign(
        run=name,
        day=min((time[:10] for time in cases["time"] if time), default=""),
        commit=", ".join(sorted(commits)),
        hardware=rows["machine"].map(hardware),
        family=rows["instance"].map(families).astype(str),
        instance=rows["instance"].astype(str),
        solver=rows["competitor"].map(first["solver"]),
        version=rows["competitor"].map(first["solver_version"]),
    )
