"""The cells of a layout as the CUDA kernel takes them: all on the device, or block after block from the host's memory.

A block is neighbouring slices, at most so many cells. While the kernel works on one, the next is copied to the device
and what changed in the one before is copied back, on a stream each, for copies run both ways at once. Events order
them: nothing here waits for the device. Without one all calls come in the order of the program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from solvers.engine.arrays import RaggedEntries
from solvers.engine.cuda_launches import Launch, launches
from solvers.engine.kernel import Tensor
from solvers.engine.layout import Layout
from solvers.engine.layout_families import Entries
from solvers.engine.storage import HostStorage


class Family(NamedTuple):
    """A family beyond the first as the loops take it, see families_triton.py."""

    first_row: int
    start: Tensor | None
    """int64[K + 1]: the first entry of each cell; None where each has one."""
    row: Tensor | None
    """unsigned[K or N]: counted from first_row; None where the family has one row."""
    a: Tensor | None
    """value[K or N]; None where all entries have one coefficient."""
    coefficient: Tensor | None
    """value[1], where a is None."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Some slices of a layout, on the device, with their part of the primal vectors."""

    launches: tuple[Launch, ...]
    arrays: tuple[Tensor, ...]
    """slice_start and slice_lane of these slices, radius and upper of all lanes (radius again where there is no upper),
    index, a and c of these cells; slice_start counts from the first of them."""
    more: tuple[Family, ...]
    """The families beyond the first, of these cells."""
    primal: tuple[Tensor, ...]


class Resident:
    """One block, all of it on the device."""

    def __init__(self, layout: Layout, device: str) -> None:
        upper = layout.radius if layout.upper is None else layout.upper
        arrays = (layout.slice_start, layout.slice_lane, layout.radius, upper, layout.index, layout.a, layout.c)
        self._arrays = tuple(upload_array(array, device) for array in arrays)
        self._more = tuple(_uploaded(family, device) for family in layout.more or ())
        self.launches = launches(layout, 0, layout.slice_kind.size)

    def zeros(self) -> Tensor:
        import torch

        return torch.zeros_like(self._arrays[-1])

    def blocks(self, primal: Sequence[Tensor] = (), written: Sequence[int] = ()) -> Iterator[Block]:  # noqa: ARG002 - all is written where it lies
        """The cells with their part of the vectors `primal`, of which those at the places `written` may change."""
        yield Block(launches=self.launches, arrays=self._arrays, more=self._more, primal=tuple(primal))

    def wait(self) -> None:
        """Until everything that changed is where `zeros` made it."""


class Pieces(NamedTuple):
    """An array on the host, and its part for each block."""

    host: Tensor
    bounds: list[tuple[int, int]]
    """Of each block: the first entry, and the end."""


class StreamedFamily:
    """A family beyond the first whose arrays come block after block; bounds: the cells of each block."""

    def __init__(self, family: Entries, bounds: list[tuple[int, int]], device: str) -> None:
        import torch

        self._coefficient = upload_array(np.array([family.coefficient]), device) if family.a is None else None
        self._first_row = family.first_row
        arrays: list[Pieces | None] = [None]
        of_entries = bounds
        if isinstance(family, RaggedEntries):
            arrays = [Pieces(torch.from_numpy(family.start), [(first, last + 1) for first, last in bounds])]
            of_entries = [(int(family.start[first]), int(family.start[last])) for first, last in bounds]
        own = (family.index, family.a)
        arrays += [None if array is None else Pieces(torch.from_numpy(array), of_entries) for array in own]
        self._first_entry = [first for first, _ in of_entries]
        self._arrays = arrays
        self.pieces = [array for array in arrays if array is not None]

    def block(self, k: int, parts: Iterator[Tensor]) -> Family:
        """The family of block k, of which `parts` are what has been copied to the device, in the order of `pieces`."""
        start, index, a = (None if array is None else next(parts) for array in self._arrays)
        if start is not None:
            start -= self._first_entry[k]
        return Family(self._first_row, start, index, a, self._coefficient)


class FromHost:
    """Blocks of a layout whose cells lie in the memory of the host, as primal vectors do; buffers for two blocks."""

    def __init__(self, layout: Layout, device: str, storage: HostStorage) -> None:
        import torch

        self._api: Any = torch.cuda if device.startswith("cuda") else torch.cpu
        self._storage = storage
        self.layout = layout
        self._device = torch.device(device)
        self._radius, lanes = (upload_array(array, device) for array in (layout.radius, layout.slice_lane))
        self._upper = self._radius if layout.upper is None else upload_array(layout.upper, device)
        self._cuts = list(_cuts(layout.slice_start, storage.cells))
        starts = [layout.slice_start[first : last + 1] - layout.slice_start[first] for first, last in self._cuts]
        self._slices = [
            (launches(layout, first, last), upload_array(start, device), lanes[first : last + 1])
            for (first, last), start in zip(self._cuts, starts, strict=True)
        ]
        self.launches = tuple(launch for own, _, _ in self._slices for launch in own)
        self._bounds = [(int(layout.slice_start[first]), int(layout.slice_start[last])) for first, last in self._cuts]
        self._families = [StreamedFamily(family, self._bounds, device) for family in layout.more or ()]
        self._pieces = [Pieces(torch.from_numpy(array), self._bounds) for array in (layout.index, layout.a, layout.c)]
        self._pieces += [pieces for family in self._families for pieces in family.pieces]
        self._buffers: tuple[list[Tensor], list[Tensor]] = ([], [])
        with self._on_device():
            self._inward, self._outward = self._api.Stream(), self._api.Stream()
            self._ready, self._done, self._free = ([self._api.Event() for _ in range(2)] for _ in range(3))

    def zeros(self) -> Tensor:
        import torch

        return torch.from_numpy(self._storage.zeros(self.layout.cells, self.layout.a.dtype))

    def blocks(self, primal: Sequence[Tensor] = (), written: Sequence[int] = ()) -> Iterator[Block]:
        """See Resident.blocks. The caller enqueues its work on a block before it asks for the next."""
        with self._on_device():
            if self._cuts:
                self._grow(self._all_pieces(primal))
        following = self._fetch(0, primal) if self._cuts else None
        for k in range(len(self._cuts)):
            block = following
            following = self._fetch(k + 1, primal) if k + 1 < len(self._cuts) else None
            assert block is not None
            self._ready[k % 2].wait(self._current())
            yield block
            self._store(k, block, primal, written)

    def wait(self) -> None:
        if self._device.type == "cuda":
            self._outward.synchronize()

    def _fetch(self, k: int, primal: Sequence[Tensor]) -> Block:
        """Copy block k into its buffers, once what was in them has been used and copied back."""
        own_launches, start, lanes = self._slices[k]
        parts = []
        with self._api.stream(self._inward):
            self._free[k % 2].wait(self._inward)
            for pieces, buffer in zip(self._all_pieces(primal), self._buffers[k % 2], strict=False):
                first, last = pieces.bounds[k]
                parts.append(buffer[: last - first].copy_(pieces.host[first:last], non_blocking=True))
            coming = iter(parts)
            cells = [next(coming) for _ in range(3)]
            more = tuple(family.block(k, coming) for family in self._families)
            self._ready[k % 2].record(self._inward)
        return Block(
            launches=own_launches,
            arrays=(start, lanes, self._radius, self._upper, *cells),
            more=more,
            primal=tuple(coming),
        )

    def _store(self, k: int, block: Block, primal: Sequence[Tensor], written: Sequence[int]) -> None:
        """Copy back what has changed, once the work enqueued on block k is done; then its buffers are free."""
        first, last = self._bounds[k]
        self._done[k % 2].record(self._current())
        with self._api.stream(self._outward):
            self._done[k % 2].wait(self._outward)
            for place in written:
                primal[place][first:last].copy_(block.primal[place], non_blocking=True)
            self._free[k % 2].record(self._outward)

    def _all_pieces(self, primal: Sequence[Tensor]) -> list[Pieces]:
        """All that a block takes, the vectors `primal` last."""
        return [*self._pieces, *(Pieces(vector, self._bounds) for vector in primal)]

    def _grow(self, pieces: Sequence[Pieces]) -> None:
        """Buffers for these arrays; new memory may still be read by work of the stream that it is taken on."""
        import torch

        for place, buffers in enumerate(self._buffers):
            for array in pieces[len(buffers) :]:
                largest = max(last - first for first, last in array.bounds)
                buffers.append(torch.empty(largest, dtype=array.host.dtype, device=self._device))
                self._free[place].record(self._current())

    def _current(self) -> Any:
        return self._api.current_stream(self._device)

    def _on_device(self) -> Any:
        return current_device(self._device)


def current_device(device: Any) -> Any:
    """A context in which `device` is the current one where it is a CUDA device."""
    import torch

    return torch.cuda.device(-1 if device.index is None else device.index)


def upload_array(array: npt.NDArray[Any], device: str) -> Tensor:
    """Torch computes little with uint16, but stores and hands it to Triton as it is."""
    import torch

    own = array if array.flags.writeable else array.copy()  # torch takes no read-only array
    return torch.from_numpy(own).to(device)


def _uploaded(family: Entries, device: str) -> Family:
    """A family of a layout, on the device."""
    start = family.start if isinstance(family, RaggedEntries) else None
    coefficient = np.array([family.coefficient]) if family.a is None else None
    arrays = (start, family.index, family.a, coefficient)
    return Family(family.first_row, *(None if array is None else upload_array(array, device) for array in arrays))


def _cuts(slice_start: npt.NDArray[np.int64], cells: int) -> Iterator[tuple[int, int]]:
    """(first, last) slice of blocks of at most `cells` cells, or of one slice."""
    first, slices = 0, slice_start.size - 1
    while first < slices:
        end = int(np.searchsorted(slice_start, slice_start[first] + cells, side="right")) - 1
        last = max(first + 1, min(end, slices))
        yield first, last
        first = last
