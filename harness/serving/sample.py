"""Prices from a share of the sources, and what the others get at them. I sources, E edges, J rows of the short form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.certificate import Certificate
from harness.decisions.serving import decide
from harness.measured import Measurements, instance_fields, solver_fields
from harness.recording import utc_now
from harness.referee import certify
from harness.rounding import Float64
from harness.serving.row import ServingRecord
from harness.solve import solve
from instances import InputError, MatchingLP, PerSource, Spec, activities
from instances.evaluate import linear_cost
from solvers import Settings

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Question:
    """Serving from a sample of one instance."""

    name: str
    """Of the instance."""

    spec: Spec

    solver: str
    """Its id."""

    share: float
    """Of the sources that is in the sample."""

    seed: int
    """Of the sample."""

    threads: int

    @property
    def case(self) -> str:
        """Text that names it."""
        return f"{self.name}|{self.solver}|share {self.share:g}|seed {self.seed}|{self.threads}t"


def measure_serving(question: Question, lp: MatchingLP, into: Measurements) -> ServingRecord:
    """Solve a sample of the sources with its share of the budgets to 1e-4, and decide all others by its prices.

    Raises InputError for an LP beyond the short form, and where the sample has no prices.
    """
    if not lp.is_short_form:
        raise InputError(f"budgets are scaled with the sample, {question.name} has {lp.beyond_short_form}")
    sample, others = sampled(lp.sources, question.share, question.seed)
    rest = part_of(lp, others)
    known, of_rest = (
        solve(part, question.solver, threads=question.threads, quiet=True) for part in (part_of(lp, sample), rest)
    )
    if known.proved_dual is None or of_rest.proved_dual is None:
        reason = known.reason or of_rest.reason
        raise InputError(f"{question.solver} proved no bound of the sample or of the others: {reason}")

    certificate, figures = _figures(rest, known.proved_dual, of_rest.proved_dual, question.threads)
    return ServingRecord(
        case=question.case,
        **instance_fields(question.name, question.spec, lp),
        **solver_fields(question.solver, Settings(threads=question.threads)),
        share=question.share,
        seed=question.seed,
        sampled=sample.size,
        seconds={"prepare": known.seconds.prepare, "run": known.seconds.run},
        certificate=asdict(certificate),
        **figures,
        dual_file=str(into.keep_dual(f"{question.case} sample", known.proved_dual)),
        rest_dual_file=str(into.keep_dual(f"{question.case} rest", of_rest.proved_dual)),
        environment=into.environment,
        time=utc_now(),
    )


#: The arrays beside a row.
FILES = ("dual_file", "rest_dual_file")


def derived_serving(
    row: Mapping[str, Any], lp: MatchingLP, arrays: Mapping[str, Any], threads: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What both duals give again: figures of the certificate, and those of the row."""
    sample, others = sampled(lp.sources, row["share"], row["seed"])
    certificate, figures = _figures(part_of(lp, others), arrays["dual_file"], arrays["rest_dual_file"], threads)
    return asdict(certificate), {**figures, "sampled": sample.size}


def _figures(rest: MatchingLP, prices: Any, own: Any, threads: int) -> tuple[Certificate, dict[str, Any]]:
    """Of the decisions for `rest` at these prices; own: its dual, which proves the bound."""
    x = decide(prices, rest)
    certificate = certify(rest, x, own, threads=threads)
    over = np.maximum(activities(rest, x) - rest.b, 0.0)
    bound = certificate.dual_bound
    return certificate, {
        "objective": linear_cost(rest, x) / bound if bound else 1.0,
        "overrun": float(over.sum() / rest.b.sum()),
        "rows_over": float((over > 0.01 * rest.b).mean()),
        "lost": certificate.certified_gap,
    }


def sampled(sources: int, share: float, seed: int) -> tuple[Int64, Int64]:
    """The sources in the sample, and those outside (all where the sample has all), in rising order."""
    order = np.random.default_rng(seed).permutation(sources)
    count = max(1, round(share * sources))
    sample = np.sort(order[:count])
    return sample, sample if count == sources else np.sort(order[count:])


def part_of(lp: MatchingLP, sources: Int64) -> MatchingLP:
    """The short form of these sources alone, in rising order, under their share of the budgets."""
    degrees = lp.degrees()
    chosen = np.zeros(lp.sources, dtype=np.bool_)
    chosen[sources] = True
    edges = np.flatnonzero(np.repeat(chosen, degrees))
    polytopes = lp.per_source
    budgets: Float64 = lp.b * (sources.size / lp.sources)
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees[sources]))),
        c=lp.c[edges],
        polytope=PerSource(
            kind=polytopes.kind[sources],
            params=np.ascontiguousarray(polytopes.params[:, sources]),
            edge_upper=None if lp.edge_upper is None else lp.edge_upper[edges],
        ),
        destination=lp.destination[edges],
        a=lp.a[edges],
        b=budgets,
    )
