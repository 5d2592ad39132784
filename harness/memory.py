"""Peak memory of this process and of the device, and what a case needs of it."""

from __future__ import annotations

import math
import resource
import sys
from pathlib import Path
from typing import Any

from harness.case import Case
from instances import Spec, available_memory, entries_in_rows, in_blocks, memory_bytes
from solvers.card import SolverCard
from solvers.settings import Settings

#: Of an entry of an edge in a row beyond its first. With 100,000 sources PDLP and HiPDLP took 50 (`volume`, `coupons`)
#: to 68 (`paths`) more, our engine 6: a quarter of what it takes for an edge.
_ENTRY_BYTES = 64.0
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def reset_peak() -> None:
    """Start a new peak: of this process where the kernel can (Linux), and of the CUDA device where torch uses one."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return
    finally:
        cuda = _cuda()
        if cuda is not None:
            cuda.reset_peak_memory_stats()


def peak() -> dict[str, int | None]:
    """Bytes at the peak since reset_peak(): resident memory of this process, and memory that torch took on CUDA."""
    cuda = _cuda()
    return {"host": _host_peak(), "device": None if cuda is None else int(cuda.max_memory_allocated())}


def memory_needed(card: SolverCard, spec: Spec) -> int:
    """Bytes of the instance and of the solver beside it, roughly and at once."""
    of_entry = min(_ENTRY_BYTES, card.bytes_per_edge / 4)
    of_edge = card.bytes_per_edge + of_entry * (entries_in_rows(spec) - 1)
    return memory_bytes(spec) + math.ceil(of_edge * spec.expected_edges)


def may_stream(card: SolverCard, spec: Spec, settings: Settings) -> bool:
    """Whether the solver can work on this instance while both lie on the disk."""
    return card.streams and settings.device == "cpu" and in_blocks(spec)


def lies_on_disk(case: Case) -> bool:
    """Whether the instance is made in the store on disk: the solver streams, and memory does not suffice."""
    if not may_stream(case.card, case.parsed, case.settings):
        return False
    return memory_needed(case.card, case.parsed) > available_memory()


def _host_peak() -> int:
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _cuda() -> Any:
    """torch.cuda, or None where this process does not use it."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized() else None
