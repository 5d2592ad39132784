"""The layout holds every edge once, in cells that pad little."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import Kind, MatchingLP, PerSource
from solvers.engine.constants import PAD_COST
from solvers.engine.layout import Layout, index_dtype
from solvers.engine.layout_builder import build_layout
from solvers.engine.points import to_cells, to_edges


def lp_of(degrees: np.ndarray, destinations: int, seed: int, dtype: str = "float64") -> MatchingLP:
    rng = np.random.default_rng(seed)
    offsets = np.concatenate(([0], np.cumsum(degrees)))
    kind = rng.integers(0, 3, degrees.size).astype(np.uint8)
    return MatchingLP(
        offsets=offsets,
        destination=rng.integers(0, destinations, offsets[-1]).astype(np.int32),
        a=rng.uniform(0, 1, offsets[-1]).astype(dtype),
        c=rng.normal(0, 1, offsets[-1]).astype(dtype),
        b=np.ones(destinations),
        polytope=PerSource(kind=kind, radius=rng.uniform(0, 2, degrees.size)),
    )


def edges_by_source(lp: MatchingLP, layout: Layout) -> list[list[tuple[int, float, float]]]:
    """(destination, a, c) of the cells that are no padding, by source and in order."""
    found: list[list[tuple[int, float, float]]] = [[] for _ in range(lp.sources)]
    for s in range(layout.slice_kind.size):
        lanes = int(layout.slice_lane[s + 1] - layout.slice_lane[s])
        for k in range(int(layout.slice_start[s]), int(layout.slice_start[s + 1])):
            lane = int(layout.slice_lane[s]) + (k - int(layout.slice_start[s])) % lanes
            if layout.c[k] == PAD_COST:
                assert layout.a[k] == 0
                continue
            i = int(layout.source[lane])
            assert layout.slice_kind[s] == lp.per_source.kind[i]
            assert layout.radius[lane] == lp.per_source.radius[i]
            found[i].append((int(layout.index[k]), float(layout.a[k]), float(layout.c[k])))
    return found


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    degrees=st.lists(st.sampled_from([0, 1, 2, 3, 9, 10, 11, 40, 300]), min_size=1, max_size=200),
    destinations=st.sampled_from([1, 256, 257, 70_000]),
    seed=st.integers(0, 9),
)
def test_every_edge_is_in_one_cell_of_its_source(degrees: list[int], destinations: int, seed: int) -> None:
    lp = lp_of(np.array(degrees), destinations, seed)
    layout = build_layout(lp, "float64")
    expected = [
        list(zip(lp.destination[m:n].tolist(), lp.a[m:n].tolist(), lp.c[m:n].tolist(), strict=True))
        for m, n in zip(lp.offsets[:-1], lp.offsets[1:], strict=True)
    ]
    assert edges_by_source(lp, layout) == expected
    assert sum(run.cells for run in layout.slice_runs()) == layout.cells
    x = np.arange(1.0, lp.edges + 1)
    np.testing.assert_array_equal(to_edges(layout, lp, to_cells(layout, lp, x), "float64"), x)


def test_padding_is_small_where_sources_are_many() -> None:
    lp = lp_of(np.random.default_rng(0).poisson(10, 20_000), 100, 0)
    assert build_layout(lp).padding < 1.05


def test_a_source_unlike_its_neighbours_does_not_widen_them() -> None:
    degrees = np.full(100, 3)
    degrees[50] = 5000
    layout = build_layout(lp_of(degrees, 6000, 0))
    assert layout.padding <= 1.25


@pytest.mark.parametrize(("destinations", "dtype"), [(1, "uint16"), (65_536, "uint16"), (65_537, "uint32")])
def test_the_index_is_as_narrow_as_the_destinations_allow(destinations: int, dtype: str) -> None:
    assert index_dtype(destinations) == dtype


def test_norms_and_infeasibility_are_noticed() -> None:
    lp = lp_of(np.array([2, 1, 5]), 4, 1)
    layout = build_layout(lp, "float32")
    squares = np.bincount(lp.destination, weights=lp.a**2, minlength=4)
    np.testing.assert_allclose(layout.row_norm, np.sqrt(squares), rtol=1e-12)
    assert layout.cost_norm == pytest.approx(np.linalg.norm(lp.c))
    kind = np.full(3, Kind.SIMPLEX_EQUALITY, dtype=np.uint8)
    poor = MatchingLP(
        offsets=np.array([0, 2, 2, 8]), destination=lp.destination, a=lp.a, c=lp.c, b=lp.b,
        polytope=PerSource(kind=kind, radius=np.ones(3)),
    )  # fmt: skip
    assert build_layout(poor).infeasible
    assert not layout.infeasible
