"""Records that look like those of a suite: families, sizes, solvers, tolerances, repeats and every way to fail."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import reports
from harness.records import RECORDS_FILE, CaseRecord, Seconds, append
from reports.load import load

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
TRACED = ("blockpdhg", "dualip", "dualip-restarted")
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


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One run of the made-up suite."""

    family: str
    sources: int
    destinations: int
    tolerance: float
    solver: str
    repeat: int

    @property
    def name(self) -> str:
        return self.family if self.family == "movielens" else f"{self.family}-{self.sources}x{self.destinations}"

    @property
    def edges(self) -> int:
        return 100_836 if self.family == "movielens" else self.sources * 10

    @property
    def seconds(self) -> float:
        per_edge, digit, _ = SOLVERS[self.solver]
        hard = {"dualip": 1.0, "unit": 6.0, "movielens": 2.0}[self.family]
        digits = {1e-2: 0, 1e-4: 2, 1e-6: 4}[self.tolerance]
        jitter = 0.8 + 0.4 * _unit(f"{self.name}{self.solver}{self.tolerance}{self.repeat}")
        return per_edge * 1e-6 * self.edges * digit**digits * hard * jitter

    @property
    def gap(self) -> float:
        if "highs" in self.solver:
            return 1e-13
        return self.tolerance * (0.2 + 0.7 * _unit(f"{self.solver}{self.name}{self.tolerance}"))


def suite_cases(repeats: int = 2) -> Iterator[CaseRecord]:
    """Every family, size, solver, tolerance and repeat, with failures where such solvers have them."""
    sizes = ((family, size) for family, every in SIZES.items() for size in every)
    for (family, size), tolerance, solver, repeat in product(sizes, TOLERANCES, SOLVERS, range(repeats)):
        yield _suite_case(
            Planned(
                family=family,
                sources=size[0],
                destinations=size[1],
                tolerance=tolerance,
                solver=solver,
                repeat=repeat,
            )
        )


def _suite_case(plan: Planned) -> CaseRecord:
    settings = {"tolerance": plan.tolerance, "time_limit": TIME_LIMIT, "iteration_limit": None, "threads": 2}
    versions = {"ortools-pdlp": "9.15.6755", "scipy-highs-ds": "1.17.1", "scipy-highs-ipm": "1.17.1"}
    return make_case(
        case=f"{plan.name}/{plan.solver}/{plan.tolerance:g}/{plan.repeat}",
        instance=plan.name,
        spec=f"{plan.family}:sources={plan.sources},destinations={plan.destinations},degree=10,seed=42",
        spec_hash=f"{zlib.crc32(plan.name.encode()):016x}",
        family=plan.family,
        sources=plan.sources,
        destinations=plan.destinations,
        edges=plan.edges,
        cells=plan.sources * plan.destinations,
        solver=plan.solver,
        solver_version=versions.get(plan.solver, "0.1.0"),
        settings=settings | {"device": "cpu", "dtype": "float32", "seed": 0, "options": {}},
        repeat=plan.repeat,
        time=f"2026-01-01T00:00:{plan.repeat:02d}Z",
        **_outcome(plan),
    )


def _outcome(plan: Planned) -> dict[str, Any]:
    """Status and figures: solved, skipped for its size, out of time, or a wrong claim."""
    if plan.edges > SOLVERS[plan.solver][2]:
        reason = "needs about 41 GiB, 22 GiB are free"
        return {
            "status": "skipped",
            "reason": reason,
            "certificate": None,
            "seconds": Seconds(),
            "peak_memory": {},
        }
    seconds, gap, status, reason = plan.seconds, plan.gap, "solved", ""
    if seconds > TIME_LIMIT:
        status, reason = "time_limit", f"stopped after {TIME_LIMIT:g} s"
        seconds, gap = TIME_LIMIT, min(0.3, 3e-3 + gap * 900)
    elif (plan.solver, plan.family, plan.tolerance) == ("ortools-pdlp", "unit", 1e-4):
        gap, status, reason = 3.1e-4, "inaccurate", "certified 3.1e-4, asked 1e-4"
    return {
        "status": status,
        "reason": reason,
        "certificate": certificate(gap),
        "seconds": Seconds(generate=0.1, prepare=2e-7 * plan.edges, run=seconds, referee=0.02),
        "peak_memory": {"host": int(2e8 + plan.edges * (30 if "pdhg" in plan.solver else 250)), "device": None},
        "trace": _trace(seconds, gap) if plan.solver in TRACED else None,
    }


def _trace(seconds: float, gap: float) -> dict[str, Any]:
    steps = range(1, 25)
    return {
        "seconds": [seconds * k / 24 for k in steps],
        "iteration": [10 * k for k in steps],
        "gap": [0.5 * (gap / 0.5) ** (k / 24) for k in steps],
    }


def _unit(text: str) -> float:
    return zlib.crc32(text.encode()) / 2**32


Write = Callable[..., Path]


@pytest.fixture(name="make_case", scope="session")
def _make_case() -> Callable[..., CaseRecord]:
    return make_case


@pytest.fixture(name="certificate")
def _certificate() -> Callable[[float | None], dict[str, Any]]:
    return certificate


@pytest.fixture(name="environment", scope="session")
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


@pytest.fixture(scope="session")
def built(suite_records: Path, tmp_path_factory: pytest.TempPathFactory) -> reports.Built:
    """The report of them."""
    return reports.build([suite_records], tmp_path_factory.mktemp("report"))


def _write(folder: Path, *rows: CaseRecord | dict[str, Any]) -> Path:
    folder.mkdir()
    for row in rows:
        append(folder / RECORDS_FILE, row)
    return folder


@pytest.fixture
def cases_of(write_records: Write) -> Callable[..., pd.DataFrame]:
    def cases(*rows: CaseRecord) -> pd.DataFrame:
        return load([write_records(*rows)]).cases

    return cases


@pytest.fixture
def run(
    make_case: Callable[..., CaseRecord], certificate: Callable[[float | None], dict[str, Any]]
) -> Callable[..., CaseRecord]:
    """A case by its run seconds, certified gap and tolerance."""

    def make(seconds: float, gap: float | None, tolerance: float = 1e-4, **changes: Any) -> CaseRecord:
        changes = {"spec_hash": changes.get("instance", "one")} | changes
        case = make_case(certificate=certificate(gap), seconds=Seconds(prepare=1.0, run=seconds), **changes)
        return replace(case, settings={**case.settings, "tolerance": tolerance})

    return make
