"""Families of whole workloads: feasible by construction, tight enough to be worth solving, and of the rows they say."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from instances import (
    BoxCut,
    MatchingLP,
    RaggedRows,
    Simplex,
    SpecError,
    generate,
    memory_bytes,
    named_instances,
    parse_spec,
)
from instances.greedy import best_edges

#: Rows of each family, and how many of them at least have no slack at the optimum of 600 x 20.
BINDING = {
    "slots": {"budget": 15},
    "volume": {"campaign": 2, "sends": 1, "complaints": 1, "engagement": 1},
    "delivery": {"contract": 5},
    "pacing": {"campaign": 2, "campaign-hour": 50},
    "exposure": {"item": 4, "creator": 1},
    "coupons": {"campaign": 3, "return": 1},
    "adwords": {"budget": 15},
    "transport": {"need": 20},
    "paths": {"link": 5},
    "reviewers": {"budget": 10},
}


def made(family: str, more: str = "", sources: int = 600) -> MatchingLP:
    return generate(parse_spec(f"{family}:sources={sources},destinations=20,degree=5,seed=3{more}"))


def optimum(lp: MatchingLP) -> Any:
    """By HiGHS on the explicit form; fun is None where there is none."""
    explicit = lp.to_explicit()
    rows = LinearConstraint(explicit.matrix, explicit.row_lower, explicit.row_upper)
    return milp(explicit.c, constraints=rows, bounds=Bounds(0, explicit.upper))


@pytest.mark.parametrize("family", BINDING)
def test_there_is_an_optimum_and_rows_of_every_family_bind_there(family: str) -> None:
    lp = made(family)
    found = optimum(lp)
    assert found.status == 0
    assert np.isfinite(found.fun)
    binding = {}
    for rows in lp.rows:
        activity = rows.activity(found.x[: lp.edges])
        slack = np.minimum(np.abs(rows.upper - activity), np.abs(activity - rows.lower))
        binding[rows.name] = int((slack <= 1e-6 * (1 + np.abs(activity))).sum())
    assert {name: binding.get(name, 0) >= least for name, least in BINDING[family].items()} == dict.fromkeys(
        BINDING[family], True
    ), binding


@pytest.mark.parametrize("family", BINDING)
@pytest.mark.parametrize(
    "polytope", ["simplex", "simplex-eq,radius=2", "box,radius=0.5", "box-cut,radius=2", "box-cut-eq,radius=2"]
)
def test_every_polytope_leaves_a_feasible_point(family: str, polytope: str) -> None:
    if family == "transport" and not polytope.endswith("-eq,radius=2"):
        return  # its rows need all that sources have
    if family == "paths" and polytope.startswith("box-cut-eq"):
        return  # a demand may have one path alone
    assert optimum(made(family, f",polytope={polytope}", sources=200)).status == 0


def _best(lp: MatchingLP, key: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    x = np.zeros(lp.edges)
    x[best_edges(lp.source_of_edge(), key)] = 1.0
    return x


def _even(lp: MatchingLP) -> npt.NDArray[np.float64]:
    return np.asarray((lp.per_source.limits().at_most / np.maximum(1, lp.degrees()))[lp.source_of_edge()])


def _message(lp: MatchingLP) -> npt.NDArray[np.float64]:
    complaints, sessions = lp.rows[2].coefficient, lp.rows[3].coefficient
    return 0.5 * _best(lp, np.asarray(sessions - np.float32(10) * complaints))


def _offer(lp: MatchingLP) -> npt.NDArray[np.float64]:
    cost, surplus = lp.rows[1].coefficient, lp.rows[2].coefficient
    return _best(lp, np.asarray(surplus - np.float32(0.8) * cost))


KNOWN: dict[str, Callable[[MatchingLP], npt.NDArray[np.float64]]] = {
    "volume": _message,
    "exposure": _even,
    "coupons": _offer,
    "reviewers": _even,
}


@pytest.mark.parametrize("family", KNOWN)
def test_the_known_point_keeps_every_row(family: str) -> None:
    lp = made(family, sources=20_000)
    x = KNOWN[family](lp)
    for rows in lp.rows:
        assert rows.sides.violation(rows.activity(x)).max() <= 1e-9 * lp.sources, rows.name


def test_transport_is_balanced_to_the_last_unit() -> None:
    lp = made("transport", sources=20_000)
    need = lp.rows[0]
    assert np.array_equal(need.lower, need.upper)
    assert need.upper.sum() == lp.sources
    assert lp.per_source.limits().equality.all()


def test_contracts_ask_for_more_than_there_is_and_some_are_broken() -> None:
    lp = made("delivery")
    contract = lp.rows[0]
    assert contract.lower.sum() > lp.sources
    short = contract.lower - contract.activity(optimum(lp).x[: lp.edges])
    assert 2 <= (short > 1e-6).sum() < contract.rows


def test_the_hours_of_a_campaign_are_nested_in_its_day() -> None:
    day, hour = made("pacing").rows
    assert np.array_equal(hour.row // 24, day.row)
    assert np.array_equal(hour.coefficient, day.coefficient)
    assert (hour.upper.reshape(-1, 24).sum(axis=1) > day.upper).all()
    assert (hour.upper.reshape(-1, 24) < day.upper[:, None]).all()


def test_adwords_has_few_kinds_of_sources_that_pay_what_they_bring() -> None:
    lp = generate(parse_spec("adwords:sources=24000,destinations=100,degree=7,seed=42"))
    kinds = np.unique(lp.destination.reshape(-1, 7), axis=0)
    assert (lp.edges, len(kinds)) == (7 * 24_000, 99)
    assert np.array_equal(lp.a, -lp.c)
    best = lp.a.reshape(-1, 7).max(axis=1).sum(dtype=np.float64)
    assert np.ptp(lp.b) == 0
    assert lp.b.sum() == pytest.approx(0.9 * best, rel=1e-9)


def test_the_links_of_a_path_lead_from_one_node_to_another() -> None:
    lp = made("paths")
    link = lp.rows[0]
    assert isinstance(link, RaggedRows)
    starts = link.entry_offsets
    assert np.diff(starts).min() >= 1
    paths = [tuple(link.row[a:b]) for a, b in itertools.pairwise(starts)]
    assert all(len(set(path)) == len(path) for path in paths)
    of_source = list(zip(lp.source_of_edge(), paths, strict=True))
    assert len(set(of_source)) == len(of_source)


def test_reviewers_have_one_load_and_papers_three_of_them() -> None:
    lp = made("reviewers")
    assert lp.polytope == BoxCut(upper=1.0, at_most=3.0, equality=True)
    assert np.ptp(lp.b) == 0
    assert lp.degrees().min() >= 3


def test_a_spec_that_names_no_polytope_has_that_of_its_family() -> None:
    usual = parse_spec("slots:sources=10,destinations=5,degree=2")
    assert usual.text == "slots:sources=10,destinations=5,degree=2,seed=0"
    four = parse_spec("slots:sources=10,destinations=5,degree=2,radius=4")
    assert four.text.endswith("polytope=box-cut,radius=4,upper=1")
    other = parse_spec("slots:sources=10,destinations=5,degree=2,polytope=simplex")
    assert other.text.endswith("polytope=simplex,radius=1")
    assert generate(other).polytope == Simplex()


def test_a_network_of_one_link_is_refused() -> None:
    with pytest.raises(SpecError, match="destinations=1: a network needs at least 2 links"):
        generate(parse_spec("paths:sources=5,destinations=1,degree=1"))


def test_rows_of_all_edges_cost_no_memory_an_edge() -> None:
    sizes = {name: memory_bytes(parse_spec(named_instances()[f"{name}-100k"])) for name in ("volume", "pacing")}
    assert [round(size / 1e6) for size in sizes.values()] == [17, 21]


#: Edges, c, the activities of x = 1, and the limits that are finite, each summed.
GOLDEN = {
    "slots": (99626, -2799.6607826985564, 99626.0, 47908.0),
    "volume": (99626, -2799.6607826985564, 215514.61530600232, 25467.479937743283),
    "delivery": (99626, -725.2680464598816, 99626.0, 24633.0),
    "pacing": (99626, -2799.6607826985564, 331494.31770206615, 61222.395599417774),
    "exposure": (99626, -2799.6607826985564, 199252.0, 41659.60000103805),
    "coupons": (99731, -2826.7065946360817, 4849.313696743688, 2128.9546004924973),
    "adwords": (100000, -145672.83999894932, 145672.83999894932, 45816.0301633358),
    "transport": (99731, 38220.95986981356, 99731.0, 40000.0),
    "paths": (30634, -50877.329623831436, 114096.52387830429, 50249.78698938583),
    "reviewers": (102088, -3390.097134526266, 102088.0, 61460.0),
}


@pytest.mark.parametrize("family", GOLDEN)
def test_the_numbers_of_generator_version_1(family: str) -> None:
    """Where this fails on purpose, raise GENERATOR_VERSION: stored instances and published digests depend on it."""
    lp = made(family, sources=20_000)
    of_ones = sum(rows.activity(np.ones(lp.edges)).sum() for rows in lp.rows)
    sides = np.concatenate([side for rows in lp.rows for side in (rows.lower, rows.upper)])
    limits = sides[np.isfinite(sides)].sum()
    assert (lp.edges, lp.c.sum(dtype=np.float64), of_ones, limits) == pytest.approx(GOLDEN[family], rel=1e-9)
