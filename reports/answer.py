"""The first section of the page: for each gap a sentence that answers, and the matrix instance x solver."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from reports import definitions, outcomes
from reports.matrix import matrix
from reports.section import Material, Section
from reports.shown import factor, plural, power

#: The gap that is shown first where somebody was asked for it: what most users of such an LP ask for.
PREFERRED_TARGET = 1e-4
NO_WIN = {
    "level": "level on {}",
    "run alone": "the fastest on {} is slower than another with prepare",
    "walkover": "one solver alone was asked on {}",
    "none": "none of those asked reaches it on {}",
    "not asked": "nobody was asked on {}",
}


def answer(material: Material) -> Section:
    """The gap that is shown first, then the others from the loosest to the tightest."""
    if material.winners.empty:
        return Section(anchor="answer", title="Answer", lead=["No case was tried."])
    targets = outcomes.targets(material.cases)
    first = preferred(targets)
    return Section(
        anchor="answer",
        title="Answer",
        tables=[
            matrix(material.outcomes, material.cases, target, material.styles, _wins(material, target))
            for target in sorted(targets, key=lambda target: (target != first, -target))
        ],
        see=[definitions.TIME, definitions.WIN, definitions.MEAN, definitions.MARKS],
    )


def preferred(targets: Iterable[float]) -> float:
    """PREFERRED_TARGET where it is among them, else the loosest."""
    known = list(targets)
    return PREFERRED_TARGET if PREFERRED_TARGET in known else max(known)


def _wins(material: Material, target: float) -> str:
    """One line: who wins where, and what is no win."""
    rows = material.winners[material.winners["target"] == target]
    outcomes_here = material.outcomes[(material.outcomes["target"] == target) & material.outcomes["asked"]]
    asked = len(outcomes_here["competitor"].unique())
    everybody = len(material.outcomes["competitor"].unique())
    if asked == 1:
        reached = int(rows["winner"].notna().sum())
        solver = outcomes_here["competitor"].iloc[0]
        return f"To {power(target)}: {solver}, the only solver asked, on {reached} of {plural(len(rows), 'instance')}."

    won = rows[rows["verdict"] == "win"]
    ranked = sorted(won["winner"].value_counts().items(), key=lambda item: (-item[1], str(item[0])))
    sentences = [
        f"{solver} is fastest on {number} of {plural(len(rows), 'instance')}{_lead_of(won, solver)}"
        for solver, number in ranked
    ]

    numbers = rows["verdict"].value_counts()
    sentences += [words.format(numbers[verdict]) for verdict, words in NO_WIN.items() if verdict in numbers]
    only_some = f" (asked of only {asked} of {everybody} solvers)" if asked < everybody else ""
    return f"To {power(target)}{only_some}: {'; '.join(sentences)}."


def _lead_of(won: pd.DataFrame, solver: object) -> str:
    """By which factors it leads where there is a next one."""
    factors = won.loc[won["winner"] == solver, "factor"].dropna()
    if factors.empty:
        return ""
    least = factor(factors.min())
    most = factor(factors.max())
    return f", {least if least == most else f'{least} to {most}'} faster than the next"
