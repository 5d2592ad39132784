"""Numbers that compiled loops and the code around them share, in a file of their own that imports nothing."""

from __future__ import annotations

#: The cost of a cell that no edge fills: never active in a projection, never the minimum of a source with an edge.
PAD_COST = 1e30

#: Candidate lane counts, tried in order until the padding is acceptable; 1 handles a source of unusual degree. All
#: others must be multiples of vector_jit.VECTOR_WIDTH.
LANES = (64, 16, 1)
#: A slice with more cells than this has fewer lanes, so that one slice stays in the nearest caches.
SLICE_CELLS = 16_384
#: A slice may have this many cells per edge before it gets fewer lanes.
PADDING = 1.25

#: Cells of a slice whose scratch lies on the stack, at most two vectors of float64: 256 KiB, because the stacks of
#: threads may have 512 KiB. Only a lone source has a larger slice.
STACK_CELLS = SLICE_CELLS

#: c + a y in float64 is off by at most 3 units of 2^-53 of |c| + a y, and by TINY where numbers are too small to be
#: exact: a proof subtracts SLIP (|c| + a y) + TINY.
SLIP = 2.0**-50
TINY = 1e-300
