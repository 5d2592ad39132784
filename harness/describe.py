"""What one instance is, in words: its shape, what each polytope allows, and how tight its budgets are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from harness.rows_in_words import rows_in_words
from instances import MatchingLP, RaggedRows, Rows, activities
from instances.polytopes import PolytopeKind, polytope_kinds

#: Said where z > 1, which looks like a number of items.
_NOT_EACH_ONCE = "“at most two items, each at most once” is a box-cut: here one item may be taken twice"


def description(lp: MatchingLP) -> list[tuple[str, str]]:
    """(topic, sentence) of everything that tells one matching LP from another."""
    polytopes = [("polytope", sentence) for sentence in polytopes_in_words(lp)]
    if not lp.is_short_form:
        return [
            ("size", f"{lp.sources:,} sources, {lp.edges:,} edges, {lp.row_count:,} rows, {lp.cells:,} cells"),
            ("edges", f"{_spread(lp.degrees())} a source"),
            *polytopes,
            *(("rows", rows_in_words(family)) for family in lp.rows),
            ("c", _costs(lp)),
            *(("a and c", told) for family in lp.rows if (told := _correlation_of(lp, family))),
            ("ties", _ties(lp)),
            ("degeneracy", _degeneracy(lp)),
            ("tightness", tightness(lp)),
        ]
    return [
        ("size", f"{lp.sources:,} sources, {lp.destinations:,} destinations, {lp.edges:,} edges, {lp.cells:,} cells"),
        ("edges", f"{_spread(lp.degrees())} a source, {_spread(_edges_of_rows(lp))} a destination"),
        *polytopes,
        ("rows", rows_in_words(lp.rows[0])),
        ("a", _coefficients(lp)),
        ("c", _costs(lp)),
        ("a and c", _correlation(lp)),
        ("ties", _ties(lp)),
        ("degeneracy", _degeneracy(lp)),
        ("budgets", _budgets(lp)),
    ]


def polytopes_in_words(lp: MatchingLP) -> Iterator[str]:
    kind = lp.per_source.kind
    several = False
    for number, one in polytope_kinds().items():
        mine = kind == number
        params = lp.per_source.params[:, mine]
        if params.shape[1]:
            upper = one.upper(params) if lp.edge_upper is None else lp.edge_upper[np.repeat(mine, lp.degrees())]
            yield f"{params.shape[1]:,} {number.name}: {_allowed(one, params, upper)}"
            several |= one.edge_row is None and bool((one.at_most(params) > 1).any())
    if several:
        yield _NOT_EACH_ONCE


def _allowed(one: PolytopeKind, params: npt.NDArray[np.float64], upper: npt.NDArray[np.float64]) -> str:
    """What the sources of a kind may do, with the numbers of these; upper: their u, of sources or of edges."""
    sums = f"the sum over a source's edges {'exactly' if one.equality else 'at most'} z{_numbers(one.at_most(params))}"
    edges = f"each edge at most u{_numbers(upper)}"
    if one.edge_row is None:
        return f"{sums}; no edge has a limit of its own, so one may take all of it"
    if one.sum_row is None:
        return f"{edges}; their sum has no limit"
    return f"{sums}; {edges}"


def _numbers(values: npt.NDArray[np.float64]) -> str:
    if not values.size:
        return ""
    least, most = values.min(), values.max()
    return f" = {least:g}" if least == most else f", from {least:g} to {most:g}"


def _coefficients(lp: MatchingLP) -> str:
    if not lp.edges:
        return "none"
    if lp.a.min() == lp.a.max():
        return f"{lp.a.min():g} on every edge: a flow problem"
    least, most = np.full(lp.destinations, np.inf), np.zeros(lp.destinations)
    np.minimum.at(least, lp.destination, np.where(lp.a > 0, lp.a, np.inf))
    np.maximum.at(most, lp.destination, lp.a)
    same = not (least < most).any()
    return f"from {lp.a.min():g} to {lp.a.max():g}{', one coefficient a row: a flow problem' if same else ''}"


def _costs(lp: MatchingLP) -> str:
    if not lp.edges:
        return "none"
    return f"from {lp.c.min():g} to {lp.c.max():g}, below 0 on {(lp.c < 0).mean():.0%} of the edges"


def _correlation(lp: MatchingLP) -> str:
    """How much of a coefficient its value tells, over all edges."""
    if lp.edges < 2 or lp.a.min() == lp.a.max() or lp.c.min() == lp.c.max():
        return "one of them is the same on every edge"
    return f"correlation {np.corrcoef(lp.a, -lp.c)[0, 1]:.2f} between a and the value -c"


def _correlation_of(lp: MatchingLP, family: Rows | RaggedRows) -> str:
    """The same of one aligned family; "" where its coefficients or the costs do not vary."""
    if isinstance(family, RaggedRows) or lp.edges < 2:
        return ""
    coefficient = np.broadcast_to(family.coefficient, lp.edges)
    if coefficient.min() == coefficient.max() or lp.c.min() == lp.c.max():
        return ""
    told = np.corrcoef(coefficient, -lp.c)[0, 1]
    return f"correlation {told + 0.0:.2f} between the coefficients of {family.name} and the value -c"


def _degeneracy(lp: MatchingLP) -> str:
    """How often costs are equal, and whether sums can meet limits exactly: then a vertex has several bases."""
    distinct = f"{np.unique(lp.c).size:,} distinct values of c on {lp.edges:,} edges"
    numbers = [np.atleast_1d(family.coefficient) for family in lp.rows]
    numbers += [side[np.isfinite(side)] for family in lp.rows for side in (family.lower, family.upper)]
    if all((values == np.round(values)).all() for values in numbers):
        return f"{distinct}; coefficients and limits are whole, so that sums meet limits exactly: many bases a vertex"
    return f"{distinct}; coefficients or limits are not whole, so that a vertex has mostly one basis"


def _ties(lp: MatchingLP) -> str:
    """Degeneracy as a source meets it: its two best edges are worth the same."""
    first = lp.offsets[:-1][lp.degrees() > 1]  # the best edge of each source once edges are sorted, the next behind it
    if not first.size:
        return "no source has two edges"
    best = lp.c[np.lexsort((lp.c, lp.source_of_edge()))]
    return f"the two best edges are worth the same on {(best[first] == best[first + 1]).mean():.0%} of the sources"


def tightness(lp: MatchingLP) -> str:
    """Against the activities when every source takes what is best for it alone."""
    activity = activities(lp, best_alone(lp))
    above = activity > np.concatenate([family.upper for family in lp.rows])
    below = activity < np.concatenate([family.lower for family in lp.rows])
    sentence = f"{int(above.sum()):,} of {lp.row_count:,} rows would be exceeded"
    if below.any():
        sentence += f" and {int(below.sum()):,} not reached"
    return f"if every source took what is best for it alone, {sentence}"


def _budgets(lp: MatchingLP) -> str:
    """Against the load of what sources would take if there were no budgets."""
    load, unlimited = _wanted(lp), int(np.isinf(lp.b).sum())
    sentence = f"without them, {int((load > lp.b).sum()):,} of {lp.destinations:,} rows would be exceeded"
    if unlimited:
        sentence += f"; {unlimited:,} have no limit"
    limited = (load > 0) & np.isfinite(lp.b)
    if not limited.any():
        return sentence
    low, median, high = np.quantile(lp.b[limited] / load[limited], [0.1, 0.5, 0.9])
    spread = f", eight rows in ten {low:.3g} to {high:.3g}" if low < high else ""
    return f"{sentence}; the median row allows {median:.3g} of what would be put on it{spread}"


def _wanted(lp: MatchingLP) -> npt.NDArray[np.float64]:
    """Load of each row, float64[J], when every source takes what is best for it alone."""
    return np.bincount(lp.destination, lp.a * best_alone(lp), lp.destinations).astype(np.float64)


def best_alone(lp: MatchingLP) -> npt.NDArray[np.float64]:
    """x[E] when every source takes what is best for it alone."""
    source = lp.source_of_edge()
    limits = lp.per_source.limits()
    order = np.lexsort((lp.c, source))  # by source, the cheapest edge first; of equal ones the first
    rank = np.empty(lp.edges, dtype=np.int64)
    rank[order] = np.arange(lp.edges) - lp.offsets[source]

    upper = np.minimum(lp.upper_of_edges(), limits.at_most[source])
    before = rank * upper
    if lp.edge_upper is not None:
        held = np.append(0.0, np.cumsum(upper[order]))
        before[order] = held[:-1] - held[lp.offsets[source]]
    taken: npt.NDArray[np.float64] = np.clip(limits.at_most[source] - before, 0.0, upper)
    taken[(lp.c >= 0) & ~limits.equality[source]] = 0.0
    return taken


def _edges_of_rows(lp: MatchingLP) -> npt.NDArray[np.int64]:
    return np.bincount(lp.destination, minlength=lp.destinations)


def _spread(counts: npt.NDArray[np.int64]) -> str:
    """0 to 12, median 5; how many have none."""
    if not counts.size:
        return "none"
    least, most, none = int(counts.min()), int(counts.max()), int((counts == 0).sum())
    if least == most:
        return f"{least:,}"
    return f"{least:,} to {most:,} (median {np.median(counts):,.0f}{f', {none:,} without any' if none else ''})"
