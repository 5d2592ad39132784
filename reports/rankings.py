"""What may be ranked together: cases of one machine and of one division."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from harness.records import Division

RANKING = ["machine", "division"]


def machine_of(machine: str) -> str:
    """What the name of a competitor ends with where there are several machines."""
    return f" · machine {machine}"


class Ranking(NamedTuple):
    """One machine and one division: what may be ranked together."""

    machine: str
    division: str

    label: str
    """The machine and the division in words, as far as there are others."""

    def plain(self, text: str) -> str:
        """`text` without the machine behind the names of competitors: beside `label` it says nothing new."""
        return text.replace(machine_of(self.machine), "")

    def of(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows of this ranking."""
        return rows[(rows["machine"] == self.machine) & (rows["division"] == self.division)]

    @property
    def suffix(self) -> str:
        """What tells names of files of several rankings apart."""
        return "".join(f"-{word}" for word in self.label.replace(",", "").lower().split())


def rankings(rows: pd.DataFrame) -> list[tuple[Ranking, pd.DataFrame]]:
    """Each ranking in `rows` with its rows, by machine, the default division first."""
    pairs = sorted(set(rows[RANKING].itertuples(index=False, name=None)))
    machines = {machine for machine, _ in pairs}
    found = []
    for machine, division in pairs:
        tuned = f"{division} division" if division != Division.DEFAULT else ""
        label = ", ".join(filter(None, (f"machine {machine}" if len(machines) > 1 else "", tuned)))
        ranking = Ranking(machine, division, label)
        found.append((ranking, ranking.of(rows)))
    return found
