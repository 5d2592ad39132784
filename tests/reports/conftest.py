"""Records that look like those of a suite: families, sizes, solvers, tolerances, repeats and every way to fail."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.records import RECORDS_FILE, CaseRecord, Seconds, append

GIB = 2**30
ENVIRONMENT: dict[str, Any] = {
    "schema": 1,
    "kind": "environment",
    "id": "env-1",
    "python": "3.11.2",
    "platform": "Linux x86_64",
    "cpu": "Fixture CPU 3 GHz",
    "cores": 2,
    "threads": {"OMP_NUM_THREADS": "2"},
    "memory_bytes": 24 * GIB,
    "gpu": None,
    "packages": {"numpy": "2.4.6", "ortools": "9.15.6755", "scipy": "1.17.1"},
    "commit": "0123abcd",
    "dirty": False,
}
RUN: dict[str, Any] = {
    "schema": 1,
    "kind": "run",
    "suite": "fixture",
    "digest": "d1",
    "command": "dualbench run fixture --out results",
    "description": "a made-up suite",
    "environment": "env-1",
    "time": "2026-01-01T00:00:00Z",
}
SIZES = {
    "dualip": ((10_000, 100), (100_000, 1_000), (1_000_000, 1_000)),
    "unit": ((10_000, 100), (100_000, 1_000)),
    "movielens": ((610, 9_724),),
}
#: solver: (microseconds an edge at 1e-2, seconds gained a digit as a factor, largest edges it can hold)
SOLVERS = {
    "blockpdhg": (0.05, 1.6, 1e9),
    "dualip": (4.0, 9.0, 1e9),
    "dualip-restarted": (2.5, 4.0, 1e9),
    "ortools-pdlp": (3.0, 1.8, 1e9),
    "scipy-highs-ds": (60.0, 1.0, 1.5e6),
    "scipy-highs-ipm": (22.0, 1.1, 1.5e6),
}
TOLERANCES = (1e-2, 1e-4, 1e-6)
TIME_LIMIT = 60.0


def make_case(**changes: Any) -> CaseRecord:
    """A solved case; `changes` replaces fields."""
    case = CaseRecord(
        case="one",
        suite="fixture",
        instance="dualip-1e5",
        spec="dualip:sources=10000,destinations=100,degree=10,seed=42",
        spec_hash="0123456789abcdef",
        family="dualip",
        sources=10_000,
        destinations=100,
        edges=100_000,
        cells=1_000_000,
        solver="blockpdhg",
        solver_version="0.1",
        settings={"tolerance": 1e-4, "time_limit": TIME_LIMIT, "threads": 2, "device": "cpu", "dtype": "float32"},
        repeat=0,
        status="solved",
        raw_status="optimal",
        seconds=Seconds(generate=0.1, prepare=0.2, run=0.5, referee=0.01),
        iterations=40,
        peak_memory={"host": GIB // 4, "device": None},
        certificate=certificate(5e-5),
        environment="env-1",
    )
    return replace(case, **changes)


def certificate(gap: float | None) -> dict[str, Any]:
    figures = dict.fromkeys(
        ("primal_residual", "budget_residual", "polytope_residual", "dual_residual", "relative_gap"), 1e-6
    )
    return {
        "certified_gap": gap,
        "dual_bound": -100.0,
        "feasible_objective": None if gap is None else -100.0 + 100.0 * gap,
        "objective": -100.0,
        "budget_violation": 1e-7,
        "polytope_violation": 0.0,
        "reason": "" if gap is not None else "no feasible point recovered",
        **figures,
    }


def suite_cases(repeats: int = 2) -> Iterator[CaseRecord]:
    """Every family, size, solver, tolerance and repeat, with failures where such solvers have them."""
    for family, sizes in SIZES.items():
        for sources, destinations in sizes:
            edges = 100_836 if family == "movielens" else sources * 10
            for tolerance in TOLERANCES:
                for solver in SOLVERS:
                    for repeat in range(repeats):
                        yield _suite_case(family, sources, destinations, edges, tolerance, solver, repeat)


def _suite_case(
    family: str, sources: int, destinations: int, edges: int, tolerance: float, solver: str, repeat: int
) -> CaseRecord:
    per_edge, digit, largest = SOLVERS[solver]
    hard = {"dualip": 1.0, "unit": 6.0, "movielens": 2.0}[family]
    name = family if family == "movielens" else f"{family}-{sources}x{destinations}"
    jitter = 0.8 + 0.4 * _unit(f"{name}{solver}{tolerance}{repeat}")
    digits = {1e-2: 0, 1e-4: 2, 1e-6: 4}[tolerance]
    seconds = per_edge * 1e-6 * edges * digit**digits * hard * jitter
    gap = 1e-13 if "highs" in solver else tolerance * (0.2 + 0.7 * _unit(f"{solver}{name}{tolerance}"))
    outcome: dict[str, Any] = {"status": "solved", "certificate": certificate(gap)}
    if edges > largest:
        outcome = {"status": "skipped", "reason": "needs about 41 GiB, 22 GiB are free", "certificate": None}
    elif seconds > TIME_LIMIT:
        outcome = {
            "status": "time_limit",
            "certificate": certificate(min(0.3, 3e-3 + gap * 900)),
            "raw_status": "time limit",
        }
        outcome["reason"] = f"stopped after {TIME_LIMIT:g} s"
        seconds = TIME_LIMIT
    elif solver == "ortools-pdlp" and family == "unit" and tolerance == 1e-4:
        gap = 3.1e-4
        outcome = {"status": "inaccurate", "certificate": certificate(gap), "reason": "certified 3.1e-4, asked 1e-4"}
    skipped = outcome["status"] == "skipped"
    trace = None
    if solver in ("blockpdhg", "dualip", "dualip-restarted"):
        steps = range(1, 25)
        trace = {
            "seconds": [seconds * k / 24 for k in steps],
            "iteration": [10 * k for k in steps],
            "gap": [0.5 * (gap / 0.5) ** (k / 24) for k in steps],
        }
    return make_case(
        case=f"{name}/{solver}/{tolerance:g}/{repeat}",
        instance=name,
        spec=f"{family}:sources={sources},destinations={destinations},degree=10,seed=42",
        spec_hash=f"{zlib.crc32(name.encode()):016x}",
        family=family,
        sources=sources,
        destinations=destinations,
        edges=edges,
        cells=sources * destinations,
        solver=solver,
        solver_version={"ortools-pdlp": "9.15.6755"}.get(solver, "1.17.1" if "highs" in solver else "0.1.0"),
        settings={
            "tolerance": tolerance,
            "time_limit": TIME_LIMIT,
            "iteration_limit": None,
            "threads": 2,
            "device": "cpu",
            "dtype": "float32",
            "seed": 0,
            "options": {},
        },
        repeat=repeat,
        seconds=Seconds() if skipped else Seconds(generate=0.1, prepare=2e-7 * edges, run=seconds, referee=0.02),
        peak_memory={} if skipped else {"host": int(2e8 + edges * (30 if "pdhg" in solver else 250)), "device": None},
        trace=None if skipped else trace,
        time=f"2026-01-01T00:00:{repeat:02d}Z",
        **outcome,
    )


def _unit(text: str) -> float:
    return zlib.crc32(text.encode()) / 2**32


Write = Callable[..., Path]


@pytest.fixture(name="make_case")
def _make_case() -> Callable[..., CaseRecord]:
    return make_case


@pytest.fixture(name="certificate")
def _certificate() -> Callable[[float | None], dict[str, Any]]:
    return certificate


@pytest.fixture(name="environment")
def _environment() -> dict[str, Any]:
    return dict(ENVIRONMENT)


@pytest.fixture
def write_records(tmp_path: Path) -> Write:
    """Writes a folder of records: cases, then rows as they are (the environment and the run by default)."""

    def write(*cases: CaseRecord, rows: tuple[dict[str, Any], ...] = (ENVIRONMENT, RUN), name: str = "results") -> Path:
        return _write(tmp_path / name, *rows, *cases)

    return write


@pytest.fixture(scope="session")
def suite_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the records of the whole made-up suite."""
    return _write(tmp_path_factory.mktemp("suite") / "results", ENVIRONMENT, RUN, *suite_cases())


def _write(folder: Path, *rows: CaseRecord | dict[str, Any]) -> Path:
    folder.mkdir()
    for row in rows:
        append(folder / RECORDS_FILE, row)
    return folder
