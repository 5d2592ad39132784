"""Sorted rows, in batches that end anywhere, become pieces of whole sources."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from instances.spark.pieces import SOURCE, whole_sources


@given(
    degrees=st.lists(st.integers(1, 9), min_size=1, max_size=40),
    sizes=st.lists(st.integers(1, 25), min_size=1, max_size=12),
    most=st.integers(1, 20),
)
def test_pieces_hold_whole_sources_and_all_rows(degrees: list[int], sizes: list[int], most: int) -> None:
    source = np.repeat(np.arange(len(degrees)) + 7, degrees)
    ends = np.cumsum(np.resize(sizes, source.size))
    rows = pa.table({SOURCE: source, "row": np.arange(source.size)})
    starts = [0, *ends[ends < source.size].tolist()]
    batches = [rows.slice(start, end - start) for start, end in zip(starts, [*starts[1:], source.size], strict=True)]

    pieces = list(whole_sources((batch.to_batches()[0] for batch in batches), most))

    assert pa.concat_tables(pieces).equals(rows)
    held = [piece[SOURCE].to_numpy() for piece in pieces]
    assert all(before[-1] < after[0] for before, after in itertools.pairwise(held))
    assert all(one.size <= most or one[0] == one[-1] for one in held)
    assert all(one.size + degrees[after[0] - 7] > most for one, after in itertools.pairwise(held))
