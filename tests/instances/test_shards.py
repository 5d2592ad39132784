"""A part is what the whole holds there, the parts are the whole, and nobody makes more than a part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import (
    MatchingLP,
    Rows,
    Simplex,
    SpecError,
    generate,
    parse_spec,
)  # fmt: skip
from instances.content import edge_arrays_of, hash_of_pieces, limits_hash
from instances.shards import Part, load_part, require_parts, shares
from tests.support.parts import all_parts

SPECS = (
    "dualip:sources=70000,destinations=50,degree=3,seed=4",
    "unit:sources=50000,destinations=20,degree=2,seed=1,polytope=simplex-eq,radius=2",
    "volume:sources=60000,destinations=20,degree=2,seed=2",
)


def digest_of(parts: list[Part]) -> str:
    return hash_of_pieces([digest for part in parts for digest in part.digests()], parts[0].lp)


@pytest.mark.parametrize("text", SPECS)
@pytest.mark.parametrize("ranks", [2, 3])
def test_the_parts_are_the_whole_instance(text: str, ranks: int) -> None:
    spec = parse_spec(text)
    whole, parts = generate(spec), all_parts(spec, ranks)
    held = [edge_arrays_of(part.lp) for part in parts]
    for name, array in edge_arrays_of(whole).items():
        np.testing.assert_array_equal(np.concatenate([arrays[name] for arrays in held]), array)
    np.testing.assert_array_equal(np.concatenate([p.lp.degrees() for p in parts]), whole.degrees())
    assert {limits_hash(part.lp) for part in parts} == {limits_hash(whole)}
    assert [p.first_source for p in parts[1:]] == np.cumsum([p.lp.sources for p in parts[:-1]]).tolist()


@pytest.mark.parametrize("text", SPECS)
def test_the_digest_does_not_depend_on_the_ranks(text: str) -> None:
    spec = parse_spec(text)
    assert digest_of(all_parts(spec, 1)) == digest_of(all_parts(spec, 2)) == digest_of(all_parts(spec, 3))


def test_the_digest_sees_a_changed_edge() -> None:
    part = all_parts(parse_spec(SPECS[0]), 1)[0]
    before = digest_of([part])
    part.lp.a[-1] += 1
    assert digest_of([part]) != before


def test_more_ranks_than_blocks_are_refused() -> None:
    with pytest.raises(SpecError, match="2 ranks for 1 blocks of sources: use at most 1"):
        load_part(parse_spec("unit:sources=100,destinations=5,degree=2"), 0, 2, lambda load: load)


def test_a_family_made_as_a_whole_is_refused() -> None:
    with pytest.raises(SpecError, match="made as a whole"):
        load_part(parse_spec("dualip-v5:sources=100,destinations=10,degree=2"), 0, 1, lambda load: load)


@given(st.lists(st.integers(250, 1000), min_size=1, max_size=90), st.data())
@settings(deadline=None, max_examples=200, derandomize=True)
def test_shares_cover_all_pieces_and_balance_edges(edges: list[int], data: st.DataObject) -> None:
    ranks = data.draw(st.integers(1, len(edges)))
    found = shares(edges, ranks, "pieces")
    assert found[0][0] == 0
    assert found[-1][1] == len(edges)
    assert all(first < last for first, last in found)
    assert [first for first, _ in found[1:]] == [last for _, last in found[:-1]]
    if len(edges) >= 20 * ranks and min(edges) * 4 >= max(edges):  # elsewhere every rank having a piece comes first
        assert max(sum(edges[i:k]) for i, k in found) <= sum(edges) / ranks + max(edges)


def test_every_rank_has_a_piece_where_the_last_is_most_of_all() -> None:
    assert shares([1, 1, 1000], 3, "pieces") == [(0, 1), (1, 2), (2, 3)]


def test_equal_pieces_are_shared_equally() -> None:
    assert [last - first for first, last in shares([10] * 64, 4, "pieces")] == [16] * 4


@pytest.mark.parametrize(
    "change",
    [
        {"lower": [1.0], "upper": np.inf},
        {"upper": [1.0], "penalty": 3.0},
        {"upper": [1.0], "coefficient": 2.0},
        {"upper": [1.0], "polytope": Simplex(z=2.0)},
    ],
    ids=["side", "price", "coefficient", "polytope"],
)
def test_the_digest_sees_what_no_array_of_edges_says(change: dict[str, Any]) -> None:
    def made(*, polytope: Simplex | None = None, **fields: Any) -> str:
        rows = [Rows("floor", row=np.arange(3), lower=[1.0] * 3), Rows("total", **fields)]
        lp = MatchingLP(offsets=np.arange(4), c=-np.ones(3), rows=rows, polytope=polytope)
        return digest_of([Part(lp=lp, first_source=0, pieces=np.array([0, 3]))])

    assert made(**change) != made(upper=[1.0])


def test_more_ranks_than_blocks_are_refused_beforehand() -> None:
    with pytest.raises(SpecError, match="5 ranks for 4 blocks of sources"):
        require_parts(parse_spec(SPECS[1]), 5)
