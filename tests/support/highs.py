"""highspy in a process of its own: its library and that of OR-Tools cannot be loaded beside each other."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from instances import MatchingLP


@dataclass(frozen=True, kw_only=True, eq=False)
class Optimum:
    """What HiGHS found."""

    objective: float
    x: Any
    """float64[E]"""
    dual: Any
    """float64[R], in the sign of the adapter contract."""


class HighsApart:
    """HiGHS in a child process; as a context, so that neither the child nor the threads that serve it stay."""

    def __enter__(self) -> HighsApart:
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def solved(self, lp: MatchingLP) -> Optimum:
        """The optimum of an LP that has one."""
        return self._pool.submit(_solve, lp).result()

    def written(self, lp: MatchingLP, path: Path) -> Path:
        """The explicit form of `lp` as a file."""
        self._pool.submit(_write, lp, path).result()
        return path

    def optimum_of_file(self, path: Path) -> float:
        """That of the relaxation of the file itself."""
        return self._pool.submit(_solve_file, path).result()


def _solve(lp: MatchingLP) -> Optimum:
    import highspy

    highs = _highs(lp)
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    solution = highs.getSolution()
    return Optimum(
        objective=highs.getInfo().objective_function_value,
        x=np.array(solution.col_value)[: lp.edges],
        dual=-np.array(solution.row_dual)[: lp.row_count],
    )


def _write(lp: MatchingLP, path: Path) -> None:
    _highs(lp).writeModel(str(path))


def _solve_file(path: Path) -> float:
    import highspy

    highs = _silent()
    highs.setOptionValue("solve_relaxation", True)
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    highs.run()
    return float(highs.getInfo().objective_function_value)


def _highs(lp: MatchingLP) -> Any:
    import highspy

    explicit = lp.to_explicit()
    matrix = explicit.matrix
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = matrix.shape
    model.col_cost_, model.col_lower_, model.col_upper_ = explicit.c, np.zeros(explicit.c.size), explicit.upper
    model.row_lower_, model.row_upper_ = explicit.row_lower, explicit.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    highs = _silent()
    highs.passModel(model)
    return highs


def _silent() -> Any:
    import highspy

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    return highs
