"""An LP that is solved again and again in one process, with other numbers each time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import numpy.typing as npt

from harness.arguments import require_problem
from harness.carried import carried
from harness.kept_memory import give_back, is_short, kept_memory
from harness.result import Result
from harness.solve import settings_from, solve
from instances import InputError, MatchingLP, RaggedRows, Rows, Stayed
from solvers import Start, get_solver
from solvers.engine.workspace import Workspace
from solvers.watching import Callback

Numbers = npt.NDArray[Any]


class Session:
    """A solver at one LP after another: a loop of solves pays for compiled code and memory once.

    Kept are compiled loops, the memory of work space and referee (harness/kept_memory.py), the cells of our engine
    where the edges stay (solvers/engine/workspace.py), and the last answer, from which the next solve begins.
    Everything else is made anew, so an answer has the bits of solve(session.lp, solver_id, start=session.start, ...),
    and is judged like that one.

    with Session(lp, "blockpdhg", tolerance=1e-4) as session:
        session.solve()
        session.update(c=tomorrow)
        session.solve()
    """

    def __init__(self, lp: MatchingLP, solver_id: str, **settings: Any) -> None:
        """settings: as of `harness.solve`; `stay` counts from the second solve on. Raises InputError like it."""
        require_problem(lp, solver_id)
        settings_from(settings)
        self._lp = lp
        self._solver_id = solver_id
        self._settings = settings
        self._warm_starts = get_solver(solver_id).warm_starts
        self._start: Start | None = None
        self._workspace = Workspace()
        self._open = ExitStack()
        self._open.enter_context(kept_memory())
        self._closed = False

    @property
    def lp(self) -> MatchingLP:
        """The instance of the next solve."""
        return self._lp

    @property
    def start(self) -> Start | None:
        """Where the next solve begins: the parts of the last answer that the solver can begin from."""
        known = {part: getattr(self._start, part, None) for part in self._warm_starts}
        given = {part: array for part, array in known.items() if array is not None}
        return Start(**given) if given else None

    def solve(
        self,
        *,
        warm: bool = True,
        callback: Callback | None = None,
        verbose: bool = False,
        quiet: bool = False,
    ) -> Result:
        """Solve `lp` and let the referee judge the answer. warm: from `start`, else from nothing."""
        if self._closed:
            raise InputError("the session is closed: open another one")
        if is_short():
            self._workspace.clear()
            give_back()
        start = self.start if warm else None
        settings = self._settings if start is not None else self._settings | {"stay": 0.0}
        with self._workspace.opened():
            result = solve(
                self._lp,
                self._solver_id,
                start=start,
                callback=callback,
                verbose=verbose,
                quiet=quiet,
                **settings,
            )
        self._start = result.start or self._start
        return result

    def update(
        self,
        *,
        c: Numbers | None = None,
        a: Numbers | None = None,
        budgets: Numbers | None = None,
        rows: Sequence[Rows | RaggedRows] | None = None,
    ) -> None:
        """Other numbers on the same edges: c[E]; a[E] and budgets[J] of the short form, or all families of rows anew.

        Raises InputError where they do not fit the instance.
        """
        if rows is not None and not (a is None and budgets is None):
            raise InputError("update: a and budgets are in rows already: give those, or rows")
        if not self._lp.is_short_form and not (a is None and budgets is None):
            raise InputError(f"update: the instance has {self._lp.beyond_short_form}: give rows= for a= and budgets=")
        changes: dict[str, Any] = {"c": c, "a": a, "b": budgets, "rows": rows}
        given = {name: value for name, value in changes.items() if value is not None}
        if not given:
            raise InputError("update: nothing to change: give c=, a=, budgets= or rows=")

        changed = replace(self._lp, **given)
        if changed.row_count != self._lp.row_count:
            raise InputError(
                f"update: {changed.row_count:,} rows, the instance has {self._lp.row_count:,}: keep their number, or "
                "give another instance to follow()"
            )
        self._lp = changed

    def follow(self, lp: MatchingLP, same: Stayed) -> None:
        """Go on with another instance, in which the edges of `same` (instances.stayed) are those of this one."""
        require_problem(lp, self._solver_id)
        if self._start is not None:
            self._start = carried(self._start, same, lp)
        self._lp = lp

    def close(self) -> None:
        """Give the memory back; the session solves no more."""
        self._closed = True
        self._workspace.clear()
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
