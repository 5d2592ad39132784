"""Seconds of one iteration on any number of ranks: a model, and always shown as one.

    seconds = edges of a rank / edges a second  +  latency log2 R  +  2 (R - 1)/R bytes / bytes a second

The first term is the pass over the edges, the others the sum over R ranks: a tree of messages for the latency, and the
traffic that any all-reduce needs at least (Patarasuk and Yuan 2009) for `bytes`, the length of that sum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_RANKS = 1024


@dataclass(frozen=True, kw_only=True)
class Speeds:
    """edges_per_second: of one rank. latency: seconds of an empty sum over two ranks. bytes_per_second: of a link."""

    edges_per_second: float
    latency: float
    bytes_per_second: float


def seconds_per_iteration(speeds: Speeds, *, edges: float, bytes_summed: float, ranks: int) -> float:
    """`edges` of one rank."""
    compute = edges / speeds.edges_per_second
    if ranks == 1:
        return compute
    traffic = 2 * (ranks - 1) / ranks * bytes_summed / speeds.bytes_per_second
    return compute + speeds.latency * math.log2(ranks) + traffic


def measured_speeds(per_rank: Sequence[Mapping[str, Any]]) -> Speeds | None:
    """What the ranks of one run measured beside it, None where they did not; the slowest rank counts."""
    measured = [rank for rank in per_rank if rank.get("edges_per_second")]
    if not measured:
        return None
    latency = max((rank["latency"] or 0.0 for rank in measured), default=0.0)
    return Speeds(
        edges_per_second=min(rank["edges_per_second"] for rank in measured),
        latency=latency / max(1.0, math.log2(len(measured))),
        bytes_per_second=min(rank["bytes_per_second"] or math.inf for rank in measured),
    )


def curve(speeds: Speeds, *, mode: str, edges: float, bytes_summed: float) -> list[tuple[int, float]]:
    """(ranks, seconds) for 1, 2, 4, ... ranks; `edges` of the whole instance (strong) or of a rank (weak)."""
    counts = [1 << k for k in range(MOST_RANKS.bit_length())]
    share = {ranks: edges / ranks if mode == "strong" else edges for ranks in counts}
    return [
        (ranks, seconds_per_iteration(speeds, edges=share[ranks], bytes_summed=bytes_summed, ranks=ranks))
        for ranks in counts
    ]
