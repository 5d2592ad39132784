"""What a suite with days asks: which instances follow each other, and from what each solver begins.

A chain is a way of beginning each day. Every one goes on from its own answer of the day before; the answer of the first
day, where there is nothing to begin from, is common to all chains of a solver.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from harness.case import Case
from harness.suite import Suite, spec_text
from instances import MatchingSpec, Spec, parse_spec
from instances.staying import following
from solvers.card import SolverCard
from solvers.start import PARTS

COLD, WARM, PRICES = "cold", "warm", "prices"


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A way of beginning each day."""

    name: str
    """"cold": from nothing. "warm": from all of yesterday's answer that the solver takes. "prices": from the dual
    alone. "stay RHO": warm, with RHO as `Settings.stay`."""

    parts: tuple[str, ...] = ()
    """Of yesterday's answer: "x", "dual" or both; none for a cold start."""

    stay: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Series:
    """One instance on the days of a suite."""

    instance: str
    """Its name in the suite."""

    drift: float | None
    """Of a generated instance; None for real data, which drift by themselves."""

    days: tuple[Spec, ...]


@dataclass(frozen=True, kw_only=True)
class Day:
    """One solve of a series."""

    series: Series
    number: int
    """0 for the first day."""

    chain: Chain
    case: Case
    """Without its start, whose file is written just before."""

    @property
    def id(self) -> str:
        """Text that names it within the suite, whatever it begins from."""
        drift = "" if self.series.drift is None else f"drift {self.series.drift:g}|"
        return f"{self.case.question}|{drift}day {self.number}|{self.chain.name}|r{self.case.repeat}"

    def of_yesterday(self) -> str:
        """What names the answer that it goes on from: of the first repeat, of the cold chain after the first day."""
        chain = self.chain if self.number > 1 else Chain(name=COLD)
        case = replace(self.case, repeat=0, settings=replace(self.case.settings, stay=chain.stay))
        return replace(self, number=self.number - 1, chain=chain, case=case).id


def chains(card: SolverCard, stays: tuple[float, ...]) -> list[Chain]:
    """The chains of a solver, the cold one first."""
    found = [Chain(name=COLD)]
    if card.warm_starts:
        found.append(Chain(name=WARM, parts=card.warm_starts))
    if set(card.warm_starts) == set(PARTS):
        found.append(Chain(name=PRICES, parts=("dual",)))
    if card.stays:
        found += [Chain(name=f"stay {rho:g}", parts=card.warm_starts, stay=rho) for rho in stays]
    return found


def series_of(suite: Suite) -> list[Series]:
    """Every series of the suite; a SpecError where an instance has no days."""
    found = []
    for instance in suite.instances:
        spec = parse_spec(spec_text(instance))
        drifts = suite.drifts if isinstance(spec, MatchingSpec) else (None,)
        found += [
            Series(instance=instance, drift=drift, days=tuple(following(spec, suite.days, drift))) for drift in drifts
        ]
    return found


def days_of(suite: Suite, series: Series, number: int) -> Iterator[Day]:
    """The solves of one day in running order: repeats outermost, so that no solver runs twice in a row."""
    spec = series.days[number].text
    asked = product(range(suite.most_repeats), sorted(suite.tolerances, reverse=True), suite.solvers)
    for repeat, tolerance, solver in asked:
        card = suite.card(solver)
        for chain in chains(card, suite.stays)[: None if number else 1]:
            case = Case(
                suite=suite.name,
                instance=series.instance,
                spec=spec,
                solver=solver,
                variant=solver if solver in suite.variants else "",
                settings=replace(suite.settings(solver, tolerance), stay=chain.stay),
                repeat=repeat,
                known=card,
            )
            yield Day(series=series, number=number, chain=chain, case=case)
