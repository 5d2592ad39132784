"""Instances that drift: the problem of one day, and what it is on the days after.

Day t follows from day t - 1, with noise n ~ N(0, 1) of its own for each number:

    sources   each leaves with probability 2 %, and a new one, with other edges, takes its number
    values    c_e times exp(drift n - drift^2 / 2) where the source stayed: mean 1, deviation about `drift`
    limits    made by the family of the sources of that day, with the limit of each destination times such a factor, as
              far as the family has a feasible point below: its needs and floors follow the sources alone

Coefficients of edges stay. Block k of day t depends on the spec and k alone, as on day 0; a source that stays keeps its
number, its edges and their order.

E edges of a block of n sources, J destinations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instances.families.base import Block, BlockFamily, Float64, is_offsets
from instances.greedy import Load
from instances.sampling import BLOCK_SOURCES, block_generator, day_generator, limits_generator, starts_of
from instances.spec import MatchingSpec

#: Part of the sources that leave on a day.
LEAVING = 0.02
Indices = npt.NDArray[np.int64]


def sources_of(spec: MatchingSpec, block: int) -> int:
    """The number of sources of a block."""
    return min(BLOCK_SOURCES, spec.sources - block * BLOCK_SOURCES)


def leaving_sources(rng: np.random.Generator, sources: int) -> npt.NDArray[np.bool_]:
    """bool[n]: the sources of a block that leave. This is the first draw of the block's generator of the day."""
    return rng.random(sources) < LEAVING


def drawn_of_day(family: BlockFamily[Any], spec: MatchingSpec) -> Any:
    """The draws that all blocks share, with the limits of the day."""
    drawn, walk = family.draw(spec), np.zeros(spec.destinations)
    for day in range(1, spec.day + 1):
        walk += _steps(limits_generator(spec, day), spec.destinations, spec.drift)
    return family.moved(drawn, np.exp(walk)) if spec.day else drawn


def block_of_day(family: BlockFamily[Any], spec: MatchingSpec, drawn: Any, number: int) -> Block:
    """Block `number` on the day of the spec."""
    block = family.block(spec, drawn, block_generator(spec, number), sources_of(spec, number))
    walk = np.zeros(block.arrays["c"].size)
    for day in range(1, spec.day + 1):
        rng = day_generator(spec, day, number)
        leaving = leaving_sources(rng, sources_of(spec, number))
        if leaving.any():
            came = family.block(spec, drawn, rng, int(leaving.sum()))
            block, edge = _exchanged(family, block, leaving, came)
            walk = np.append(walk, np.zeros(came.arrays["c"].size))[edge]
        walk += np.where(_stays(block, leaving), _steps(rng, walk.size, spec.drift), 0.0)
    if not spec.day:
        return block

    c = block.arrays["c"]
    return Block(arrays=block.arrays | {"c": (c * np.exp(walk)).astype(c.dtype)}, load=block.load)


def _steps(rng: np.random.Generator, size: int, drift: float) -> Float64:
    """A day's changes to the logarithms of `size` numbers; they leave the mean of each number as it is."""
    return drift * rng.standard_normal(size) - drift**2 / 2


def _stays(block: Block, leaving: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """bool[E] of the edges after the exchange."""
    return np.repeat(~leaving, np.diff(block.arrays["offsets"]))


def _exchanged(
    family: BlockFamily[Any], block: Block, leaving: npt.NDArray[np.bool_], came: Block
) -> tuple[Block, Indices]:
    """The block with those who came in the places of those who leave, and the place of each of its edges in the edges
    of both, one after the other.
    """
    places = np.flatnonzero(leaving)
    offsets, edge = _picked(block.arrays["offsets"], came.arrays["offsets"], _who(leaving))
    arrays, entries = {"offsets": offsets}, {}
    for name in filter(is_offsets, family.arrays):
        arrays[name], entries[name.rpartition("_")[2]] = _picked(block.arrays[name], came.arrays[name], edge)
    for name in family.arrays:
        if name not in arrays:
            index = entries[name.rpartition("_")[2]] if family.is_of_entries(name) else edge
            arrays[name] = np.concatenate((block.arrays[name], came.arrays[name]))[index]

    load = [_joined(old.of(~leaving), new, places) for old, new in zip(block.load, came.load, strict=True)]
    return Block(arrays={name: arrays[name] for name in block.arrays}, load=load), edge


def _who(leaving: npt.NDArray[np.bool_]) -> Indices:
    """The number of each source among those who were there and those who came, one after the other."""
    who = np.arange(leaving.size)
    who[leaving] = leaving.size + np.arange(leaving.sum())
    return who


def _picked(starts: Indices, more: Indices, chosen: Indices) -> tuple[Indices, Indices]:
    """(new starts, index of each element): of groups with these starts, and `more` behind them, the chosen ones."""
    first = np.concatenate((starts[:-1], starts[-1] + more[:-1]))[chosen]
    size = np.concatenate((np.diff(starts), np.diff(more)))[chosen]
    offsets = starts_of(size)
    return offsets, np.repeat(first - offsets[:-1], size) + np.arange(offsets[-1])


def _joined(old: Load, new: Load, places: Indices) -> Load:
    """Both loads; the sources of the new one have the numbers in `places`."""
    moved = Load(row=new.row, units=new.units, source=places[new.source])
    return Load(*(np.concatenate(both) for both in zip(old, moved, strict=True)))
