"""The launches of a pass over the slices of a layout on CUDA: the slices of each, and the shape of their tiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.engine.layout import Layout
from solvers.settings import OptionError

#: Cells of the largest tile that stays in registers.
_LARGEST_TILE = 16_384
#: Lanes of a warp, each of which a thread takes from its first cell to the last, as far as its registers hold them.
_WARP_LANES = 32
_COLUMN = 16
_MOST_WARPS = 16
#: The greatest widths of the slices of one launch. More of them would save some registers for every launch that they
#: cost and every loop that they have compiled.
_WIDTHS = np.array([1, 2, 4, 8, 12, 16, 24, *(1 << np.arange(5, 15))])


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Neighbouring slices that one launch can take: same lanes and kind, widths least..most."""

    first: int
    slices: int
    lanes: int
    least: int
    most: int
    kind: int

    @property
    def block(self) -> int:
        """Rows of a tile, a power of two."""
        return 1 << (self.most - 1).bit_length()

    @property
    def constants(self) -> dict[str, int]:
        """All that a loop is compiled for."""
        return {"LANES": self.lanes, "BLOCK": self.block, "LEAST": self.least, "MOST": self.most, "KIND": self.kind}

    @property
    def warps(self) -> int:
        """As many as hold whole columns, and more where columns are long."""
        columns = max(1, self.lanes // _WARP_LANES)
        return min(_MOST_WARPS, columns * max(1, self.block // _COLUMN))


def launches(layout: Layout, first: int, last: int) -> tuple[Launch, ...]:
    """The slices first..last - 1, counted from `first`, merged where lanes, kind and the range of widths agree."""
    lanes = np.diff(layout.slice_lane[first : last + 1])
    width = np.diff(layout.slice_start[first : last + 1]) // lanes
    if not lanes.size:
        return ()
    place = np.searchsorted(_WIDTHS, width)
    if place.max() == _WIDTHS.size or (lanes * _WIDTHS[place]).max() > _LARGEST_TILE:
        raise OptionError(
            f"kernel='cuda' takes sources with up to {_LARGEST_TILE} edges, one has {int(width.max())}: "
            f"use kernel='reference'"
        )
    shapes = np.column_stack((lanes, place, layout.slice_kind[first:last]))
    starts = np.flatnonzero(np.r_[True, (np.diff(shapes, axis=0) != 0).any(axis=1)])
    ends = np.append(starts[1:], last - first)
    return tuple(
        Launch(
            first=at,
            slices=end - at,
            lanes=int(lanes[at]),
            least=int(_WIDTHS[place[at] - 1]) + 1 if place[at] else 1,
            most=int(_WIDTHS[place[at]]),
            kind=int(layout.slice_kind[first + at]),
        )
        for at, end in zip(starts.tolist(), ends.tolist(), strict=True)
    )
