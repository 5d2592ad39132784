"""What the solvers on the engine prepare alike: availability, memory, threads."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP, PerSource
from instances.mapped import default_cache, require_disk
from instances.tighten import tighten
from solvers.base import Answer, Availability, OptionError, Settings, Status, Vector
from solvers.engine.arrays import edge_arrays
from solvers.engine.collectives import Group
from solvers.engine.forked import require_threads
from solvers.engine.job import Job, SharedKernel
from solvers.engine.kernel import SETTLE, Kernel, check_memory, free_bytes, make_kernel
from solvers.engine.layout import Layout, build_layout, index_dtype
from solvers.engine.room import BLOCK_CELLS, RAM, Disk, Host, Room

#: Cells an edge that a memory estimate allows for before the layout is there.
_PADDING_ALLOWED = 1.1
#: Below, an answer is float64: in float32 the sums of its sources are off by more than the gap asked for.
_FLOAT64_ANSWER = 1e-6
#: Below, the iterations are float64 too: float32 stalls between 1e-8 and 1e-7 (solvers/NOTES.md).
_FLOAT64_ITERATIONS = 1e-7
#: Larger numbers than this are not left to float32: their products come near its largest, 3e38.
_FLOAT32_NUMBERS = 1e15
#: Of the copies of loads and values that the CUDA kernel adds into, for each destination.
_SUMS_BYTES = 600
#: A larger layout gives way to the answer at the end of a run.
_LAYOUT_BYTES_KEPT = 1 << 26


def available() -> Availability:
    """Whether PyTorch and Numba are installed and may compile; neither is imported."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return Availability(
            ok=False,
            reason="NUMBA_DISABLE_JIT is set, and the loops of the engine only exist compiled",
            remedy="unset NUMBA_DISABLE_JIT",
        )
    missing = [name for name in ("torch", "numba") if find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        return Availability(ok=False, reason=f"{names} not installed", remedy=f"pip install {' '.join(missing)}")
    try:
        return Availability(ok=True, version=version("torch"))
    except PackageNotFoundError:
        return Availability(ok=True, version="unknown")


def limited(lp: MatchingLP, job: Job) -> MatchingLP:
    """`lp`, or the part of it that this rank holds, with every limit cut to what can be used of it."""
    return lp.tightened if job.group.size == 1 else tighten(lp, job.group.sum)


def answer_without_edges(lp: MatchingLP) -> Answer:
    """The one point of an instance without edges; a price of 0 has the bound 0."""
    kind, radius = lp.per_source.kind, lp.per_source.radius
    if ((kind == Kind.SIMPLEX_EQUALITY) & (radius > 0)).any():
        return unserved(lp)
    nothing, free = np.zeros(0), np.zeros(lp.destinations)
    return Answer(x=nothing, dual=free, status=Status.SOLVED, raw_status="no edges", iterations=0)


def unserved(lp: MatchingLP) -> Answer:
    """The answer where a '=' source with z > 0 has no edges: any prices prove that no x is feasible."""
    ray = np.zeros(lp.destinations)
    return Answer(x=None, dual=None, status=Status.INFEASIBLE, raw_status="an '=' source has no edges", ray=ray)


def layout_bytes(lp: MatchingLP, dtype: str, *, vectors: int) -> float:
    """Bytes that a layout of `lp` and `vectors` primal vectors will take, before anything is allocated."""
    value = np.dtype(dtype).itemsize
    cell = index_dtype(lp.destinations).itemsize + (2 + vectors) * value
    return float(_PADDING_ALLOWED * cell * lp.edges + (16 + value) * lp.sources + 1e6)


def block_bytes(lp: MatchingLP, dtype: str, *, vectors: int) -> float:
    """Bytes on a device that streams from the host: two blocks of cells, what is known of each source, and the sums."""
    value = np.dtype(dtype).itemsize
    cell = index_dtype(lp.destinations).itemsize + (2 + vectors) * value
    return float(2 * BLOCK_CELLS * cell + (1 + value) * lp.sources + _SUMS_BYTES * lp.destinations)


def room_for(lp: MatchingLP, settings: Settings, memory: str, job: Job, what: str, *, vectors: int) -> Room:
    """Room for a layout, so many primal vectors and, on the host, the answer, of one kind on all ranks of the job.

    memory: see room.py. Raises InputError where there is no such room, before anything is taken.
    """
    on_cpu, sharing = settings.device == "cpu", job.group.neighbours
    cells = layout_bytes(lp, settings.dtype, vectors=vectors)
    answer = np.dtype(answer_dtype(settings, equality=serves_equalities(lp))).itemsize * lp.edges
    need = cells + answer if on_cpu and vectors else cells  # without vectors a layout gives way to the answer
    if memory == "disk" and not on_cpu:
        raise OptionError(f"memory='disk' with device={settings.device!r}: use memory='host', or device='cpu'")
    if memory == "auto" and job.anywhere(need > free_bytes(settings.device, sharing=sharing)):
        memory = "disk" if on_cpu else "host"
    if memory == "host":
        check_memory(cells + answer, "cpu", f"{what} from the host's memory", sharing=sharing)
        check_memory(block_bytes(lp, settings.dtype, vectors=vectors), settings.device, what)
        return Host(pinned=not on_cpu)
    if memory == "disk":
        require_disk(sharing * (cells + answer), default_cache(), what)
        return Disk(default_cache())
    check_memory(need, settings.device, what, sharing=sharing)
    return RAM


def made_layout(lp: MatchingLP, settings: Settings, room: Room = RAM) -> Layout:
    """The layout for the device of the settings."""
    return build_layout(lp, settings.dtype, room=room, one_band=settings.device != "cpu")


def working(settings: Settings, lp: MatchingLP, job: Job) -> Settings:
    """`settings` with the type that the iterations really use: float32 only where it can reach the tolerance and hold
    the numbers of `lp`.
    """
    precise = settings.dtype == "float64" or settings.tolerance < _FLOAT64_ITERATIONS
    precise = job.anywhere(_beyond_float32(lp)) or precise
    return dataclasses.replace(settings, dtype="float64" if precise else "float32")


def _beyond_float32(lp: MatchingLP) -> bool:
    """Whether a product of two numbers of the instance may leave the range of float32."""
    wide = [array for array in (lp.a, lp.c) if array.dtype == np.float64]
    largest = (
        float(max(array.max(initial=0), -array.min(initial=0))) for array in (*wide, lp.b, edge_arrays(lp).radius)
    )
    return max(largest) > _FLOAT32_NUMBERS


def answer_dtype(settings: Settings, *, equality: bool) -> str:
    """float32 for x where it is precise enough for the tolerance, else float64.

    equality: there are '=' sources, whose sums no x in float32 keeps where the budgets are full.
    """
    narrow = settings.dtype == "float32" and settings.tolerance >= _FLOAT64_ANSWER and not equality
    return "float32" if narrow else "float64"


def serves_equalities(lp: MatchingLP) -> bool:
    """Whether there are '=' sources among these."""
    return bool((edge_arrays(lp).kind == Kind.SIMPLEX_EQUALITY).any())


def inverse_row_norm(layout: Layout) -> npt.NDArray[np.float64]:
    """1 / ||A_j||_2 for each budget row, 1 for a row without edges."""
    used = layout.row_norm > 0
    return np.where(used, 1 / np.where(used, layout.row_norm, 1.0), 1.0)


def whole(layout: Layout, group: Group) -> Layout:
    """The cells of this rank with the norms of the instance of all ranks, and what only some of them may see."""
    squares = group.sum(np.append(layout.row_norm, layout.cost_norm) ** 2)
    seen = group.max(np.array([float(layout.has_equality), float(layout.hopeless), float(not layout.exact)]))
    return dataclasses.replace(
        layout,
        row_norm=np.sqrt(squares[:-1]),
        cost_norm=float(np.sqrt(squares[-1])),
        has_equality=bool(seen[0]),
        hopeless=bool(seen[1]),
        exact=not seen[2],  # where it is not, all ranks prove on edges
    )


class HeldKernel:
    """A kernel with its layout, which can be given up and made again."""

    def __init__(self, lp: MatchingLP, settings: Settings, name: str, job: Job, room: Room) -> None:
        layout = whole(made_layout(lp, settings, room), job.group)
        self._lp, self._settings, self._name, self._job, self.room = lp, settings, name, job, room
        self._kernel: Kernel | None = SharedKernel(make_kernel(layout, settings, name), job, settings)
        self._bytes = layout.index.nbytes + layout.a.nbytes + layout.c.nbytes
        self.name, self.device = self._kernel.name, self._kernel.device
        self.has_equality, self.hopeless = layout.has_equality, layout.hopeless
        self.inverse_row_norm = inverse_row_norm(layout)

    @property
    def kernel(self) -> Kernel:
        if self._kernel is None:
            made = make_kernel(made_layout(self._lp, self._settings, self.room), self._settings, self._name)
            self._kernel = SharedKernel(made, self._job, self._settings)
        return self._kernel

    def make_room(self) -> None:
        """Give the layout up where it is large and in memory, so that it and an answer never exist there at once."""
        if self._bytes > _LAYOUT_BYTES_KEPT and self.room is RAM:
            self._kernel = None


def warm_up(lp: MatchingLP, settings: Settings, kernel: str) -> None:
    """Compile (or load from the cache) every loop that a run of blockpdhg on `lp` will use."""
    import torch

    from solvers.engine.points import to_cells, to_edges

    tiny, answer = _three_edges(lp), answer_dtype(settings, equality=serves_equalities(lp))
    layout = made_layout(tiny, settings)
    loops = make_kernel(layout, settings, kernel)
    price = torch.zeros(lp.destinations, dtype=torch.float64, device=loops.device)
    x, anchor = loops.zeros(), loops.zeros()
    loops.advance(price, 1.0, x, anchor, SETTLE, values=True)
    loops.judge(price, x)
    loops.answer(x, price, answer, loops.zeros())
    for dtype in dict.fromkeys((settings.dtype, answer)):
        edges = to_edges(layout, tiny, loops.unload(x), dtype)
        to_cells(layout, tiny, edges)
        _warm_up_repair(tiny, edges)


def warm_up_ascent(lp: MatchingLP, settings: Settings, kernel: str) -> None:
    """The same for an ascent of the ridge dual."""
    import torch

    from solvers.engine.points import ridge_point

    tiny, answer = _three_edges(lp), answer_dtype(settings, equality=serves_equalities(lp))
    loops = make_kernel(made_layout(tiny, settings), settings, kernel)
    loops.project(torch.zeros(lp.destinations, dtype=torch.float64, device=loops.device), 1.0, values=True)
    _warm_up_repair(tiny, ridge_point(tiny, np.zeros(lp.destinations), 1.0, answer))


def _warm_up_repair(tiny: MatchingLP, x: Vector) -> None:
    from solvers.engine.balance import balance
    from solvers.engine.certificate import repair
    from solvers.engine.rays import is_ray

    none = np.zeros(tiny.destinations)
    repair(tiny, x, none)
    if serves_equalities(tiny):
        balance(tiny, x)
        is_ray(tiny, none)


def _three_edges(lp: MatchingLP) -> MatchingLP:
    """Sources of the types and of the kinds of `lp`: '=' ones only where it has some."""
    kinds = (Kind.SIMPLEX, Kind.SIMPLEX_EQUALITY if serves_equalities(lp) else Kind.SIMPLEX, Kind.BOX)
    return MatchingLP(
        offsets=np.arange(4),
        destination=np.zeros(3, dtype=lp.destination.dtype),
        a=np.ones(3, dtype=lp.a.dtype),
        c=-np.ones(3, dtype=lp.c.dtype),
        b=np.full(lp.destinations, 4.0),
        polytope=PerSource(kind=np.array(kinds, dtype=np.uint8), radius=np.ones(3)),
    )


def rehearse(kernel: Kernel, dtype: str) -> None:
    """Every call of a run of blockpdhg once, on the real layout, with its answer in `dtype`.

    For a device: Triton compiles by the shapes of a layout, and host memory that a device copies to at full speed takes
    long to come by. Both are kept for the run.
    """
    import torch

    price = torch.zeros(kernel.destinations, dtype=torch.float64, device=kernel.device)
    x, anchor = kernel.zeros(), kernel.zeros()
    kernel.advance(price, 1.0, x, anchor, SETTLE, values=True)
    kernel.judge(price, x)
    kernel.answer(x, price, dtype, anchor)


@contextmanager
def cpu_threads(threads: int, *, tensors: bool = True) -> Iterator[None]:
    """Numba on `threads` threads, PyTorch too or on one, as before on leaving.

    Without `tensors` all that PyTorch does are sums of one number a budget row: more threads only wait for each other.
    Raises ForkedError in a process that has lost its threads.
    """
    require_threads()
    import numba
    import torch

    before = numba.get_num_threads(), torch.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    torch.set_num_threads(threads if tensors else 1)
    try:
        yield
    finally:
        numba.set_num_threads(before[0])
        torch.set_num_threads(before[1])
