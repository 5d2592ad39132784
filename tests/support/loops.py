"""Compile the loops of the engine once, before tests run in several processes: `python -m tests.support.loops`.

Otherwise each process that meets an empty cache compiles them for itself, all ranks of a run at the same time.
"""

from __future__ import annotations

from dataclasses import replace
from multiprocessing import get_context

import numpy as np

from harness import solve
from instances import MatchingLP, generate, parse_spec
from tests.odd_lps import infeasible_lp

SOLVERS = ("blockpdhg", "dualip-restarted", "dualip")
#: The first is left to cells of the type asked for, the second to float64.
TOLERANCES = (1e-2, 1e-8)
#: Four families of rows that ranks solve: otherwise every rank would compile the same loops at the same time.
WIDE = "volume:sources=60,destinations=5,degree=3,seed=1"


def compile_loops(types: tuple[tuple[str, str], ...]) -> None:
    """Solve small LPs of every ending: a loop is compiled when it is called. types: of the LP and of the cells."""
    plain = generate(parse_spec("unit:sources=60,destinations=5,degree=3,seed=1"))
    full = generate(parse_spec("unit:sources=60,destinations=5,degree=3,seed=1,polytope=simplex-eq"))
    for stored, dtype in types:
        for lp in (plain, full, infeasible_lp(1)):
            for solver in SOLVERS:
                for memory in ("ram", "disk"):
                    solve(
                        _as(lp, stored),
                        solver,
                        dtype=dtype,
                        tolerance=TOLERANCES[dtype == "float64"],
                        time_limit=1.0,
                        options={"memory": memory},
                    )


def compile_wide_loops(solver: str, dtype: str) -> None:
    solve(generate(parse_spec(WIDE)), solver, dtype=dtype, tolerance=1e-4, time_limit=1.0)


def in_float32() -> None:
    compile_loops((("float32", "float32"),))
    compile_wide_loops("blockpdhg", "float32")


def with_float64() -> None:
    compile_loops((("float64", "float64"), ("float64", "float32"), ("float32", "float64")))
    compile_wide_loops("dualip", "float64")


def _as(lp: MatchingLP, dtype: str) -> MatchingLP:
    return replace(lp, a=lp.a.astype(np.dtype(dtype)), c=lp.c.astype(np.dtype(dtype)))


if __name__ == "__main__":
    # Two processes that share few loops.
    processes = [get_context("spawn").Process(target=work) for work in (in_float32, with_float64)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise SystemExit("a loop of the engine cannot be compiled")
