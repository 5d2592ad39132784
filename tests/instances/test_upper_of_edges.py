"""Upper bounds that differ from edge to edge: stated, refused, stored, hashed, shared and read from tables."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from instances import (
    Box,
    BoxCut,
    InputError,
    InstanceError,
    Kind,
    MatchingLP,
    PerSource,
    Polytope,
    Rows,
    Simplex,
    content_hash,
    parse_spec,
    read_parquet,
    write_parquet,
)
from instances.row_groups import RowGroups
from instances.store import load, store
from instances.tables import Problem
from tests.support.optimum import optimum
from tests.support.two_sources import lp_with

INF = float("inf")
UPPER = np.array([0.5, 2.0, 0.25, 1.0])


def mixed(upper: Any, *kinds: Kind) -> PerSource:
    """Sources of these kinds with z = 3."""
    params = np.array([[3.0] * len(kinds), [0.0] * len(kinds)])
    return PerSource(kind=np.array(kinds, np.uint8), params=params, edge_upper=np.array(upper))


def test_each_edge_has_its_own_bound_and_each_source_the_largest() -> None:
    for polytope in (Box(UPPER), BoxCut(upper=UPPER, at_most=3.0)):
        lp = lp_with(polytope)
        assert lp.edge_upper is not None
        assert lp.edge_upper.tolist() == lp.upper_of_edges().tolist() == lp.to_explicit().upper.tolist() == list(UPPER)
        assert lp.per_source.limits().upper.tolist() == [2.0, 1.0]
        assert lp.upper_of_edges(1, 2).tolist() == [1.0]
    assert lp_with(Box(2.0)).edge_upper is None
    assert lp_with(Box(np.array([2.0, 3.0]))).upper_of_edges().tolist() == [2.0, 2.0, 2.0, 3.0]


def test_as_many_sources_as_edges_have_one_bound_a_source_unless_it_is_said() -> None:
    offsets, upper = np.array([0, 2, 2]), np.array([0.5, 2.0])
    same = lp_with(Box(upper), offsets=offsets, destination=np.zeros(2, int), a=np.ones(2), c=np.ones(2))
    assert (same.edge_upper, same.upper_of_edges().tolist()) == (None, [0.5, 0.5])
    said = replace(same, polytope=PerSource(kind=np.array([2, 2]), radius=np.zeros(2), edge_upper=upper))
    assert said.upper_of_edges().tolist() == [0.5, 2.0]
    assert said.per_source.limits().upper.tolist() == [2.0, 0.0]  # the second source has no edges


def test_no_limit_of_its_own_is_z_of_a_box_cut_and_none_of_a_simplex() -> None:
    lp = lp_with(BoxCut(upper=np.array([0.5, INF, 0.25, INF]), at_most=np.array([3.0, 7.0]), equality=True))
    assert lp.upper_of_edges().tolist() == [0.5, 3.0, 0.25, 7.0]
    lp = lp_with(mixed([0.5, 1.0, 2.0, INF], Kind.BOX_CUT, Kind.SIMPLEX))
    assert lp.upper_of_edges().tolist() == [0.5, 1.0, 2.0, INF]
    assert lp.per_source.limits().upper.tolist() == [2.0, INF]


@pytest.mark.parametrize(
    ("polytope", "message"),
    [
        (Box(np.ones(3)), "polytope upper has shape (3,): give one number or one for each of 2 sources or one"),
        (Box(np.array([1.0, -1.0, 1.0, 1.0])), "polytope upper[1] is -1.0: it must be at least 0.0"),
        (Box(np.array([1.0, 1.0, np.nan, 1.0])), "polytope upper[2] is nan: every entry must be a number"),
        (Box(np.array([1.0, 1.0, 1.0, INF])), "polytope upper[3] is inf: its source limits no sum"),
        (BoxCut(upper=1.0, at_most=np.ones(4)), "polytope at_most has shape (4,): give one number or one for each"),
        (Simplex(z=np.ones(4)), "polytope z has shape (4,): give one number or one for each of 2 sources"),
        (mixed([1.0, 1.0, 1.0], Kind.BOX, Kind.BOX), "polytope edge_upper has 3 entries: give one for each of 4 edges"),
        (mixed(UPPER, Kind.BOX, Kind.SIMPLEX), "polytope upper[3] is 1.0: edges of SIMPLEX sources have no upper"),
        (mixed([["a"] * 4], Kind.BOX, Kind.BOX), "expected a one-dimensional array of numbers"),
    ],
)
def test_bad_bounds_are_refused_in_one_line(polytope: Polytope, message: str) -> None:
    with pytest.raises(InstanceError, match=re.escape(message)) as refusal:
        lp_with(polytope)
    assert "\n" not in str(refusal.value)


FORMS = [
    (Box(UPPER), {}),
    (BoxCut(upper=UPPER, at_most=2.0, equality=True), {}),
    (mixed([0.5, 1.0, 2.0, INF], Kind.BOX_CUT, Kind.SIMPLEX), {}),
    (BoxCut(upper=UPPER, at_most=2.0), {"rows": (Rows("floor", row=[0, 1, 1, 0], lower=[0.1, 0.2]),)}),
]


@pytest.mark.parametrize(("polytope", "rows"), FORMS)
def test_store_and_parquet_give_the_bounds_back(tmp_path: Path, polytope: Polytope, rows: Any) -> None:
    lp = lp_with(polytope)
    if rows:
        lp = MatchingLP(offsets=lp.offsets, c=lp.c, polytope=polytope, **rows)
    store(lp, tmp_path / "entry", parse_spec("unit:sources=10,destinations=2,degree=2"))
    write_parquet(lp, tmp_path / "parquet", "by hand")
    groups = RowGroups(tmp_path / "parquet")
    stored, (part, _, _) = load(tmp_path / "entry"), groups.read(0, 1)
    assert stored is not None
    for found in (stored, read_parquet(tmp_path / "parquet"), part):
        assert found.upper_of_edges().tolist() == lp.upper_of_edges().tolist()
        assert np.array_equal(found.per_source.params, lp.per_source.params)
        assert content_hash(found) == content_hash(lp)
    assert groups.content()[0] == content_hash(lp)


def test_a_part_of_a_stored_instance_has_the_bounds_of_its_own_edges(tmp_path: Path) -> None:
    degrees = np.full(3000, 4)
    rng = np.random.default_rng(1)
    upper = rng.uniform(0.1, 1.0, 12_000)
    lp = MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees))),
        destination=rng.integers(0, 9, 12_000),
        a=np.ones(12_000),
        c=-rng.random(12_000),
        b=np.full(9, 50.0),
        polytope=BoxCut(upper=upper, at_most=1.5),
    )
    write_parquet(lp, tmp_path / "lp", "by hand")
    groups = RowGroups(tmp_path / "lp")
    assert groups.edges.size > 1
    part, first, _ = groups.read(1, 2)
    start = int(lp.offsets[first])
    assert np.array_equal(part.upper_of_edges(), upper[start : start + part.edges])


def test_the_bounds_are_part_of_the_hash_and_count_as_bytes() -> None:
    made = [Box(2.0), Box(np.full(2, 2.0)), Box(np.full(4, 2.0)), Box(UPPER), BoxCut(upper=UPPER, at_most=3.0)]
    assert len({content_hash(lp_with(polytope)) for polytope in made}) == len(made)
    assert lp_with(Box(UPPER)).nbytes == lp_with(Box(1.0)).nbytes + 32


def test_a_damaged_bound_is_noticed(tmp_path: Path) -> None:
    entry = tmp_path / "entry"
    store(lp_with(Box(UPPER)), entry, parse_spec("unit:sources=10,destinations=2,degree=2"))
    np.save(entry / "edge_upper.npy", 2 * UPPER)
    assert load(entry) is None


def test_budgets_are_cut_to_what_the_edges_let_through() -> None:
    lp = lp_with(BoxCut(upper=UPPER, at_most=1.0), b=np.array([INF, INF]))
    assert lp.tightened.b == pytest.approx([0.5 * 1 + 1 * 1, 1.0 * 2 + 0.25 * 4])
    assert lp.tightened.upper_of_edges().tolist() == list(UPPER)
    limited = lp_with(BoxCut(upper=UPPER, at_most=1.0))
    assert optimum(limited.tightened) == pytest.approx(optimum(limited), rel=1e-12)


EDGES = pd.DataFrame(
    {
        "user": ["b", "a", "a", "b"],
        "item": [7, 7, 9, 9],
        "score": [1.0, 2.0, 3.0, 4.0],
        "cap": [0.5, 1.0, 2.0, 0.25],
    }
)
LIMITS = [{"name": "item", "by": "item", "at_most": 2}]


def stated(edges: Any = EDGES, **changes: Any) -> MatchingLP:
    given = {"sources": {"at_most": 2}, "edge_at_most": "cap"} | changes
    problem = Problem.from_tables(
        edges=edges, source="user", destination="item", limits=LIMITS, maximise="score", **given
    )
    return problem.build().lp


def test_a_column_of_the_edges_bounds_each_of_them() -> None:
    lp = stated()
    assert lp.upper_of_edges().tolist() == [1.0, 2.0, 0.5, 0.25]
    assert (lp.per_source.kind == Kind.BOX_CUT).all()
    assert stated(sources={"equals": 0.5, "each_at_most": 0.75}).upper_of_edges().tolist() == [0.75, 0.75, 0.5, 0.25]
    alone = stated(sources={})
    assert (alone.per_source.kind == Kind.BOX).all()
    assert alone.upper_of_edges().tolist() == [1.0, 2.0, 0.5, 0.25]
    of_users = pd.DataFrame({"user": ["a", "b"], "most": [3.0, INF]})
    by_table = stated(sources={"at_most": "most", "table": of_users})
    assert by_table.per_source.kind.tolist() == [Kind.BOX_CUT, Kind.BOX]


def test_problem_toml_says_the_column_in_edges(tmp_path: Path) -> None:
    EDGES.to_csv(tmp_path / "edges.csv", index=False)
    (tmp_path / "problem.toml").write_text(
        'maximise = "score"\n[edges]\nfiles = "edges.csv"\nsource = "user"\ndestination = "item"\nat_most = "cap"\n'
        '[[limits]]\nname = "item"\nby = "item"\nat_most = 2\n'
    )
    assert content_hash(Problem.read(tmp_path / "problem.toml").build().lp) == content_hash(stated(sources={}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"edges": EDGES.assign(cap=-EDGES.cap)}, "column cap ([edges] at_most) is negative"),
        ({"edges": EDGES.assign(cap=INF)}, "column cap is no finite number"),
        ({"edge_at_most": "caps"}, "did you mean cap?"),
        ({"sources": {}, "edge_at_most": None}, "limits nothing: give at_most, each_at_most or equals"),
    ],
)
def test_bad_columns_are_refused_in_one_line(changes: Any, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as refusal:
        stated(**changes)
    assert "\n" not in str(refusal.value)
