"""What an instance will need, before anything is made: memory of a rank, seconds of an iteration, number of devices.

I sources, J destinations, E edges of the instance; a rank has their R-th part, in whole blocks. Memory follows the
arrays that exist at once (checked against measured peaks); time is the model of harness/scaling/model.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.scaling.disk import measured_speed
from harness.scaling.model import Speeds, seconds_per_iteration
from harness.scaling.sharded import edges_per_second, sharded_solver
from instances import InputError, Spec, available_memory
from instances.mapped import default_cache, free_disk
from instances.sampling import BLOCK_SOURCES
from instances.shards import in_blocks
from solvers import Settings
from solvers.engine.layout import LANES, count_bands, index_dtype

#: Cells of a layout for each edge, and lanes for each source, as measured on the generated families.
_PADDING, _LANES = 1.06, 1.02
_VALUE = 4  # bytes of a float32
#: Of a rank before the instance: Python, PyTorch, Numba and the compiled loops, without and with CUDA.
_PROCESS = 385e6
_KEPT_LAYOUT = 1 << 30
_PIECES = 64
_CUDA_CONTEXT = 0.6e9
_SCALARS = 24
#: Iterations to a certified gap of 1e-4 measured on 100,000 x 1,000 (`dualip`: the same from 1e5 to 2.5e7 edges).
ITERATIONS = {"dualip": 30, "unit": 270, "independent": 1305}


@dataclass(frozen=True, kw_only=True)
class Device:
    """One device a rank. speed: bytes a second that passes reach; latency and link as in harness.scaling.model.Speeds.

    source says where the figures are from: none of the links is measured here.
    """

    name: str
    memory: float
    speed: float
    latency: float
    link: float
    source: str


DEVICES = {
    device.name: device
    for device in (
        Device(
            name="h200", memory=139 * 2**30, speed=4.3e12, latency=1e-5, link=5e10,
            source="copy of 4.3 TB/s measured; link of 400 Gb/s a device and 10 us a step assumed",
        ),
        Device(
            name="h100", memory=79 * 2**30, speed=3.0e12, latency=1e-5, link=5e10,
            source="90 % of the vendor's 3.35 TB/s; link of 400 Gb/s a device and 10 us a step assumed",
        ),
        Device(
            name="a100", memory=79 * 2**30, speed=1.8e12, latency=1e-5, link=2.5e10,
            source="90 % of the vendor's 2.0 TB/s; link of 200 Gb/s a device and 10 us a step assumed",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Bytes of the rank with most edges, on its host and on its device (0 on CPU); seconds by the model."""

    ranks: int
    edges_of_rank: int
    host_bytes: float
    device_bytes: float
    per_iteration: float
    to_gap: float | None
    fits: bool
    source: str
    streamed: Streamed | None = None


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """One process on the CPU that keeps the instance and its work space on the disk; bytes, and seconds by the model:
    the slower of the pass and of the disk, from which nothing that is read stays in memory.
    """

    host_bytes: float
    disk_bytes: float
    disk_speed: float
    per_iteration: float
    fits: bool


@dataclass(frozen=True, kw_only=True)
class _Share:
    """What the rank with most of the instance holds."""

    sources: int
    edges: int


def plan(
    spec: Spec, *, solver: str, device: str, ranks: int, threads: int = 1, iterations: int | None = None,
    disk_speed: float | None = None,
) -> Plan:  # fmt: skip
    """For `ranks` ranks with a device each; on "cpu" this machine is measured and its memory shared by all ranks.

    disk_speed: bytes a second of the disk, for what does not fit the memory; measured where it is not given.
    """
    streamed: Streamed | None = None
    share, on_cpu = share_of(spec, ranks), device == "cpu"
    host, on_device = host_bytes(spec, share, solver, on_cpu=on_cpu, threads=threads), 0.0
    if on_cpu:
        speed = edges_per_second(solver, Settings(threads=threads), spec, most=share.edges)
        speeds = Speeds(edges_per_second=speed, latency=1e-4, bytes_per_second=1e9)
        fits = host * ranks <= available_memory()
        source = "passes measured here; 0.1 ms a step and 1 GB/s between ranks assumed"
        if not fits and ranks == 1 and sharded_solver(solver).streams:
            disk_speed = disk_speed or measured_speed(default_cache())
            streamed = stream(spec, share, solver, threads=threads, pass_speed=speed, disk_speed=disk_speed)
    else:
        found = named_device(device)
        on_device = device_bytes(spec, share, solver)
        speed = found.speed / bytes_of_pass(solver, spec.destinations)
        speeds = Speeds(edges_per_second=speed, latency=found.latency, bytes_per_second=found.link)
        fits, source = on_device <= found.memory, found.source
    summed = 4 * spec.destinations + _SCALARS
    seconds = seconds_per_iteration(speeds, edges=share.edges, bytes_summed=summed, ranks=ranks)
    if streamed is not None:
        seconds = streamed.per_iteration
    needed = iterations or (ITERATIONS.get(spec.family) if solver == "blockpdhg" else None)
    return Plan(
        ranks=ranks,
        edges_of_rank=share.edges,
        host_bytes=host,
        device_bytes=on_device,
        per_iteration=seconds,
        to_gap=None if needed is None else needed * seconds,
        fits=fits,
        source=source,
        streamed=streamed,
    )


def stream(spec: Spec, share: _Share, solver: str, *, threads: int, pass_speed: float, disk_speed: float) -> Streamed:
    """What the instance needs from the disk; pass_speed in edges a second, disk_speed in bytes a second."""
    host, disk = streaming_bytes(spec, share, threads=threads), disk_bytes(spec, share)
    moved = share.edges * bytes_of_pass(solver, spec.destinations)
    return Streamed(
        host_bytes=host,
        disk_bytes=disk,
        disk_speed=disk_speed,
        per_iteration=max(share.edges / pass_speed, moved / disk_speed),
        fits=host <= available_memory() and disk <= free_disk(default_cache()),
    )


def streaming_bytes(spec: Spec, share: _Share, *, threads: int) -> float:
    """The peak of a process that streams: two windows of cells and vectors, the piece of instance and answer that a
    proof is at, the sums of each band, and what is known of each slice; or the blocks that are being made.
    """
    bands, J = count_bands(share.edges, spec.destinations), spec.destinations
    window = min(threads, bands) * share.edges / bands
    cells = 2 * window * _PADDING * (index_dtype(J).itemsize + 4 * _VALUE)
    piece = window * (12 + 8 * share.sources / share.edges + _VALUE)
    making = 100 * min(share.edges, spec.expected_edges / spec.sources * BLOCK_SOURCES) * threads
    kept = 4 * bands * 8 * J + 17 * share.sources / LANES[0]
    return float(_PROCESS + kept + max(making, cells + piece))


def disk_bytes(spec: Spec, share: _Share) -> float:
    """The instance in the store, and cells, vectors, lanes and answer in files without a name."""
    instance = 12 * share.edges + 8 * (share.sources + spec.destinations)
    return instance + _cells(spec, share, 2) + 2 * _VALUE * _LANES * share.sources + _VALUE * share.edges


def least_ranks(spec: Spec, *, solver: str, device: str) -> int:
    """The smallest number of devices that hold the instance."""
    memory = named_device(device).memory
    low, high = 1, most_ranks(spec)
    if device_bytes(spec, share_of(spec, high), solver) > memory:
        raise InputError(f"{spec.text} does not fit {high} devices, one for each block: use devices with more memory")
    while low < high:
        middle = (low + high) // 2
        fits = device_bytes(spec, share_of(spec, middle), solver) <= memory
        low, high = (low, middle) if fits else (middle + 1, high)
    return low


def most_ranks(spec: Spec) -> int:
    return -(-spec.sources // BLOCK_SOURCES)


def share_of(spec: Spec, ranks: int) -> _Share:
    if not in_blocks(spec):
        raise InputError(f"{spec.text} is not made in blocks: give a generated family such as dualip:sources=...")
    if not 1 <= ranks <= most_ranks(spec):
        raise InputError(f"{ranks} ranks for {most_ranks(spec)} blocks of sources: use at most {most_ranks(spec)}")
    sources = min(spec.sources, -(-most_ranks(spec) // ranks) * BLOCK_SOURCES)
    return _Share(sources=sources, edges=math.ceil(spec.expected_edges * sources / spec.sources))


def bytes_of_pass(solver: str, destinations: int) -> float:
    """Bytes that one pass moves for each edge: index, a, c, and for blockpdhg x (read and written) and the anchor."""
    vectors = 3 if sharded_solver(solver).id == "blockpdhg" else 0
    return float(_PADDING * (index_dtype(destinations).itemsize + (2 + vectors) * _VALUE))


def device_bytes(spec: Spec, share: _Share, solver: str) -> float:
    """Layout and primal vectors on a CUDA device."""
    vectors = 2 if sharded_solver(solver).id == "blockpdhg" else 0
    return _CUDA_CONTEXT + _cells(spec, share, vectors) + 12 * _LANES * share.sources + 400 * spec.destinations


def host_bytes(spec: Spec, share: _Share, solver: str, *, on_cpu: bool, threads: int = 1) -> float:
    """The peak of a rank's process: instance and the larger of making it, and of layout, vectors and answer."""
    edges, sources = share.edges, share.sources
    instance = 12 * edges + 8 * sources
    making = 100 * min(edges, spec.expected_edges / spec.sources * BLOCK_SOURCES) * threads
    pdhg = sharded_solver(solver).id == "blockpdhg"
    layout = _cells(spec, share, 0) + (8 + _VALUE) * _LANES * sources
    vectors = 2 * _VALUE * _PADDING * edges if pdhg and on_cpu else 0
    answer = _VALUE * edges
    working = layout + vectors + answer
    if not pdhg and layout > _KEPT_LAYOUT:
        working = max(layout, answer)
    return _PROCESS + instance + max(making, working + 2 * _PIECES * 8 * spec.destinations)


def named_device(name: str) -> Device:
    if name not in DEVICES:
        raise InputError(f"unknown device {name!r}: use cpu or one of {', '.join(DEVICES)}")
    return DEVICES[name]


def _cells(spec: Spec, share: _Share, vectors: int) -> float:
    """Index, a, c and so many vectors, padding included."""
    return float(_PADDING * share.edges * (index_dtype(spec.destinations).itemsize + (2 + vectors) * _VALUE))
