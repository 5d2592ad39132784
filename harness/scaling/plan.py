"""Whether an instance fits and how long an iteration takes, before anything is made; a model, always shown as one.

Memory is that of harness/scaling/needs.py, seconds are those of harness/scaling/model.py. A rank whose cells lie beyond
the memory of its device streams them, so that a pass takes as long as the slower of the pass and of the link.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.scaling.devices import Device, named_device
from harness.scaling.disk import measured_speed
from harness.scaling.model import Speeds, seconds_per_iteration
from harness.scaling.needs import block_bytes, device_bytes, host_bytes, most_ranks, solve_bytes, streaming_bytes
from harness.scaling.sharded import edges_per_second, sharded_card
from instances import InputError, Spec, available_memory
from instances.mapped import default_cache, free_disk
from solvers import Settings
from solvers.card import SolverCard
from solvers.engine.sizes import SolveBytes

_SCALARS = 24


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """Memory and speed of a rank that streams its cells."""

    place: str
    """Where the cells lie: "host" (of its device) or "disk"."""

    device_bytes: float
    """Memory that the rank takes on its device."""

    host_bytes: float
    """Memory that the rank takes on its host."""

    disk_bytes: float
    """Bytes of the rank's files."""

    link_speed: float
    """Bytes a second of the link over which the cells come."""

    edges_per_second: float
    """Edges a second over that link."""

    fits: bool
    """Whether the memory suffices: of this machine for all its ranks (disk), or of a device for its rank (host)."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Memory and seconds of the rank with the most edges, by the model."""

    ranks: int
    edges_of_rank: int

    host_bytes: float
    """Memory that the rank takes on its host."""

    device_bytes: float
    """Memory that it takes on its device; 0 on CPU."""

    per_iteration: float
    """Seconds of one iteration."""

    to_gap: float | None
    """Seconds of the given number of iterations; None where no number was given."""

    fits: bool
    """Whether the memory suffices without streaming."""

    source: str
    """The origin of the figures: which were measured, and which were assumed."""

    streamed: Streamed | None = None
    """The same rank when it streams; None where it fits or the solver does not stream."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Speeds and memory of the place where the passes of a rank run."""

    speeds: Speeds
    """Speeds of passes and of messages."""

    device_bytes: float
    """Memory that a rank takes on its device; 0 on CPU."""

    fits: bool
    """Whether the memory suffices without streaming."""

    source: str
    """The origin of the figures: which were measured, and which were assumed."""

    streamed: Streamed | None
    """A rank that streams; None where it fits or the solver does not stream."""


def plan(
    spec: Spec,
    *,
    solver: str,
    device: str,
    ranks: int,
    threads: int = 1,
    iterations: int | None = None,
    disk_speed: float | None = None,
    host_speed: float | None = None,
) -> Plan:
    """For `ranks` ranks with a device each; on "cpu" this machine is measured and its memory shared by all ranks.

    disk_speed: bytes a second of the disk, for what does not fit the memory; measured where it is not given.
    host_speed: of the link from a host to its device; assumed where it is not given.
    """
    card = sharded_card(solver)
    if card.origin:
        raise InputError(f"plan knows what the solvers of dualbench need, not {card.id} of {card.source}")
    solve = solve_bytes(spec, ranks, solver)
    host = host_bytes(spec, solve, cells_on_host=device == "cpu", threads=threads)
    if device == "cpu":
        place = _on_cpus(spec, solve, card, ranks=ranks, threads=threads, disk_speed=disk_speed)
    else:
        place = _on_device(spec, solve, card, named_device(device), host_speed=host_speed)

    speeds = place.speeds
    if place.streamed is not None:  # the slower of pass and link
        slower = min(speeds.edges_per_second, place.streamed.edges_per_second)
        speeds = replace(speeds, edges_per_second=slower)
    summed = 4 * solve.shape.rows + _SCALARS
    seconds = seconds_per_iteration(speeds, edges=solve.shape.edges, bytes_summed=summed, ranks=ranks)
    return Plan(
        ranks=ranks,
        edges_of_rank=solve.shape.edges,
        host_bytes=host,
        device_bytes=place.device_bytes,
        per_iteration=seconds,
        to_gap=None if iterations is None else iterations * seconds,
        fits=place.fits,
        source=place.source,
        streamed=place.streamed,
    )


def _on_cpus(
    spec: Spec, solve: SolveBytes, card: SolverCard, *, ranks: int, threads: int, disk_speed: float | None
) -> _Place:
    """On this machine, whose memory and disk all ranks share."""
    speed = edges_per_second(card.id, Settings(threads=threads), spec, most=solve.shape.edges)
    host = host_bytes(spec, solve, cells_on_host=True, threads=threads)
    fits = host * ranks <= available_memory()

    source = "passes measured here; 0.1 ms a step and 1 GB/s between ranks assumed"
    streamed = None
    if card.streams and not fits:
        source += f"; disk {'given' if disk_speed else 'measured here'}, shared by the ranks"
        disk_speed = disk_speed or measured_speed(default_cache())
        streamed = from_disk(spec, solve, ranks=ranks, threads=threads, disk_speed=disk_speed)
    return _Place(
        speeds=Speeds(edges_per_second=speed, latency=1e-4, bytes_per_second=1e9),
        device_bytes=0.0,
        fits=fits,
        source=source,
        streamed=streamed,
    )


def _on_device(spec: Spec, solve: SolveBytes, card: SolverCard, device: Device, *, host_speed: float | None) -> _Place:
    """A device for each rank."""
    needed = device_bytes(solve)
    fits = needed <= device.memory

    source = device.source
    streamed = None
    if card.streams and not fits:
        given = f"{host_speed / 1e9:.3g} GB/s given" if host_speed else f"{device.host_link / 1e9:.3g} GB/s assumed"
        source += f"; {given} between a host and its device"
        streamed = from_host(spec, solve, memory=device.memory, speed=host_speed or device.host_link)
    speed = device.speed / solve.pass_moved
    return _Place(
        speeds=Speeds(edges_per_second=speed, latency=device.latency, bytes_per_second=device.link),
        device_bytes=needed,
        fits=fits,
        source=source,
        streamed=streamed,
    )


def from_disk(spec: Spec, solve: SolveBytes, *, ranks: int, threads: int, disk_speed: float) -> Streamed:
    """Ranks of this machine on one disk of disk_speed bytes a second; nothing that is read stays in memory."""
    host = streaming_bytes(spec, solve, threads=threads)
    disk = solve.disk
    return Streamed(
        place="disk",
        device_bytes=0.0,
        host_bytes=host,
        disk_bytes=disk,
        link_speed=disk_speed,
        edges_per_second=disk_speed / ranks / solve.pass_moved,
        fits=host * ranks <= available_memory() and disk * ranks <= free_disk(default_cache()),
    )


def from_host(spec: Spec, solve: SolveBytes, *, memory: float, speed: float) -> Streamed:
    """A device of so much memory, each with a link of its own of `speed` bytes a second each way."""
    on_device = block_bytes(solve)
    return Streamed(
        place="host",
        device_bytes=on_device,
        host_bytes=host_bytes(spec, solve, cells_on_host=True),
        disk_bytes=0.0,
        link_speed=speed,
        edges_per_second=speed / solve.pass_read,
        fits=on_device <= memory,
    )


def least_ranks(spec: Spec, *, solver: str, device: str) -> int:
    """The smallest number of devices that hold the instance."""
    memory = named_device(device).memory
    low = 1
    high = most_ranks(spec)
    if device_bytes(solve_bytes(spec, high, solver)) > memory:
        raise InputError(f"{spec.text} does not fit {high} devices, one for each block: use devices with more memory")
    while low < high:
        middle = (low + high) // 2
        fits = device_bytes(solve_bytes(spec, middle, solver)) <= memory
        low, high = (low, middle) if fits else (middle + 1, high)
    return low
