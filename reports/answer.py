"""The first section of the page: for each gap a sentence that answers, and the matrix instance x solver."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reports import definitions, outcomes
from reports.brief import brief
from reports.headline import headline
from reports.matrix import matrix
from reports.rankings import Ranking, rankings
from reports.section import Material, Section
from reports.shown import Table

#: The gap that is shown first where somebody was asked for it: what most users of such an LP ask for.
PREFERRED_TARGET = 1e-4


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
            _answer_at(material, target, ranking)
            for ranking, _ in rankings(material.outcomes)
            for target in sorted(targets, key=lambda target: (target != first, -target))
        ],
        see=[definitions.TIME, definitions.WIN, definitions.MEAN, definitions.MARKS],
    )


def _answer_at(material: Material, target: float, ranking: Ranking) -> Table:
    found = ranking.of(material.outcomes)
    cases = ranking.of(material.cases)
    winners = ranking.of(material.winners)
    wins, not_asked = headline(cases, found, winners, target, ranking.label)
    wins = ranking.plain(wins)
    not_asked = ranking.plain(not_asked)
    table = matrix(found, cases, target, material.styles, ranking)
    standing = found[found["target"] == target]
    told = brief(standing, winners[winners["target"] == target], material.styles, ranking)
    return replace(table, lead=wins, below=not_asked, standing=standing, brief=told)


def preferred(targets: Iterable[float]) -> float:
    """PREFERRED_TARGET where it is among them, else the loosest."""
    known = list(targets)
    return PREFERRED_TARGET if PREFERRED_TARGET in known else max(known)
