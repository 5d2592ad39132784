"""What an adapter must not do to look faster or better than it is, as checks like those of harness/trust/promises.py.

They run in the adapter's own process and see what happens there: values that do their work when they are looked at,
work before the clock starts or after it ends, answers kept from the run before, settings and channels tampered with.
harness/trust/apart.py has those that need a process before the adapter was loaded.
"""

from __future__ import annotations

import contextlib
import copy
import math
import multiprocessing.connection
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import psutil

from harness.trust import probes
from harness.trust.spending import Spent, cpu_seconds, spend
from harness.trust.trials import (
    NonConformingError,
    NotApplicableError,
    Warned,
    arrays_of,
    larger,
    plainest_probe,
    require,
    settings_for,
)
from instances import Kind
from solvers import Answer, Settings, Solver
from solvers.base import TracePoint

#: CPU seconds below which a share of them says nothing: of a verb beside run, and of a whole solve.
_MEASURABLE = 0.05
_MEASURABLE_SOLVE = 0.005
#: Of the CPU seconds of a run: what available() and unsuited() may take, what a repeat must take at least.
_BESIDE = 0.5
_REPEATED = 0.3
#: How often prepare may take what run takes before a reader should know.
_PREPARED = 3.0
#: Seconds in which pools come to rest after a run, and in which what still works is seen.
_REST = 0.4
_WATCH = 0.4
#: Above this, a price or a count is no measure of anything in an instance whose numbers are near 1.
_ABSURD_PRICE = 1e6
_ABSURD = 2.0**53
_PLAIN_NUMBERS = (int, float, np.integer, np.floating)


def check_plain_values(solver: Solver) -> str:
    """Arrays, texts and numbers themselves, none that makes its value when it is looked at, and none absurd."""
    lp = plainest_probe(solver).lp
    settings = settings_for(solver)
    solver.run(solver.prepare(lp, settings))
    began = time.monotonic()
    answer = solver.run(solver.prepare(lp, settings))
    seconds = time.monotonic() - began

    require(type(answer) is Answer, f"run returned {type(answer).__name__}, not an Answer")
    for name in ("x", "dual", "ray"):
        value = getattr(answer, name)
        require(value is None or type(value) is np.ndarray, f"{name} is {type(value).__name__}, not an array of NumPy")
        plain = value is None or value.dtype in (np.float32, np.float64)
        require(plain, f"{name} has the type {getattr(value, 'dtype', '')}: expected float32 or float64")
    require(type(answer.raw_status) is str, f"raw_status is {type(answer.raw_status).__name__}, not str")

    count = answer.iterations
    require(count is None or isinstance(count, int | np.integer), f"iterations is {type(count).__name__}, not int")
    require(count is None or 0 <= count < _ABSURD, f"iterations={count}: expected None or a count >= 0")

    require(type(answer.trace) in (list, tuple), f"trace is {type(answer.trace).__name__}, not a list or tuple")
    for point in answer.trace:
        _check_point(point, seconds)
    return f"{len(answer.trace)} points in the trace"


def check_settings_unchanged(solver: Solver) -> str:
    """Settings are what was asked for: nobody changes them to be judged by others."""
    lp = plainest_probe(solver).lp
    settings = settings_for(solver, options={})
    before = {field.name: copy.deepcopy(getattr(settings, field.name)) for field in fields(Settings)}
    solver.run(solver.prepare(lp, settings))
    changed = [name for name, value in before.items() if getattr(settings, name) != value]
    require(not changed, f"the solver changed settings.{', settings.'.join(changed)}")
    return "every field as before"


def check_work_is_in_run(solver: Solver) -> str:
    """No solving in available() or unsuited(); what prepare takes beside run is said."""
    spent = _second_of_its_shape(solver)
    most = max(_MEASURABLE, _BESIDE * spent.run)
    for name in ("available", "unsuited"):
        seconds = getattr(spent, name)
        require(seconds < most, f"{name}() took {seconds:.3g} CPU seconds, run {spent.run:.3g}: it must be cheap")
    spent_words = f"prepare took {spent.prepare:.3g} CPU seconds, run {spent.run:.3g}"
    if spent.prepare > max(_MEASURABLE, _PREPARED * spent.run):
        raise Warned(f"{spent_words}: where a report compares run, compare prepare too")
    return spent_words


def check_no_memory_of_runs(solver: Solver) -> str:
    """A second run of an instance works as much as the first, and as one of another of the same shape."""
    seeds = new_seeds()
    settings = longer_settings(solver)
    spend(solver, larger(solver), settings)
    return worked_again([spend(solver, larger(solver, seed), settings).whole for seed in seeds])


def check_own_arrays(solver: Solver) -> str:
    """x and dual are the answer's own: not memory of the instance, nor of the answer before."""
    lp = plainest_probe(solver).lp
    settings = settings_for(solver)
    one, two = (solver.run(solver.prepare(lp, settings)) for _ in range(2))
    for name in ("x", "dual"):
        value = getattr(two, name)
        before = getattr(one, name)
        if value is None:
            continue
        shared = [other for other, array in arrays_of(lp).items() if np.may_share_memory(value, array)]
        require(not shared, f"{name} shares memory with {', '.join(shared)} of the instance")
        kept = before is not None and np.may_share_memory(value, before)
        require(not kept, f"{name} shares memory with that of the run before")
    return "memory of their own"


def check_prices_of_equalities(solver: Solver) -> str:
    """With '=' sources on full rows a constant may be added to all prices; a price stays near what it is made of."""
    if Kind.SIMPLEX_EQUALITY not in solver.polytopes:
        raise NotApplicableError("claims no '=' sources")
    lp = probes.full_rows()
    answer = solver.run(solver.prepare(lp, settings_for(solver)))
    if answer.dual is None:
        raise NotApplicableError("no dual")
    largest = float(np.abs(np.asarray(answer.dual, dtype=np.float64)).max())
    require(largest <= _ABSURD_PRICE, f"a price of {largest:.1e} where costs are at most 1: it swallows the costs")
    return f"prices up to {largest:.2g}"


def check_nothing_left_working(solver: Solver) -> str:
    """When run has returned, nothing of it goes on: no thread, no process, no work."""
    lp = plainest_probe(solver).lp
    settings = settings_for(solver)
    solver.run(solver.prepare(lp, settings))
    threads, children = _helpers()
    solver.run(solver.prepare(lp, settings))

    time.sleep(_REST)
    more_threads, more_children = _helpers()

    before = _cpu_of_all()
    time.sleep(_WATCH)
    worked = _cpu_of_all() - before

    require(more_children <= children, f"{len(more_children - children)} processes are left after run")
    left = sorted(name for _, name in more_threads - threads)
    require(not left, f"threads are left after run: {', '.join(left)}")
    require(worked < _WATCH / 4, f"something works on after run: {worked:.2g} CPU seconds in {_WATCH} s")
    return f"{worked:.1g} CPU seconds in {_WATCH} s after run"


def check_channels(solver: Solver) -> str:
    """The adapter speaks through its answer, and not through pipes or sockets of the process it is in."""
    lp = plainest_probe(solver).lp
    settings = settings_for(solver)
    ours, channel = multiprocessing.connection.Pipe()
    read, write = os.pipe()
    try:
        os.set_blocking(read, False)
        solver.run(solver.prepare(lp, settings))
        spoken = ours.poll(0)
        with contextlib.suppress(BlockingIOError):
            spoken = spoken or bool(os.read(read, 1))
    finally:
        for descriptor in (read, write):
            os.close(descriptor)
        ours.close()
        channel.close()
    require(not spoken, "it wrote into a channel of the harness")
    return "nothing was written"


def new_seeds() -> tuple[int, int, int]:
    """Of one instance twice and of another: never seen before, so that nothing of them lies in a cache."""
    first = int.from_bytes(os.urandom(3))
    return first, first, first + 1


def worked_again(seconds: Sequence[float]) -> str:
    """A line on the CPU seconds of an instance, of the same again and of another; raises where `again` was cheap."""
    first, again, other = seconds
    spent = f"{first:.3g} CPU seconds, the same again {again:.3g}, another of its shape {other:.3g}"
    if min(first, other) < _MEASURABLE_SOLVE:
        return f"{spent}: too short to tell"
    require(again > _REPEATED * min(first, other), f"{spent}: it keeps answers from run to run")
    return spent


def _second_of_its_shape(solver: Solver) -> Spent:
    """After a first run, which may import and compile."""
    settings = longer_settings(solver)
    spend(solver, larger(solver, seed=41), settings)
    return spend(solver, larger(solver), settings)


def longer_settings(solver: Solver) -> Settings:
    return settings_for(solver, tolerance=1e-3, time_limit=5.0)


def _check_point(point: Any, seconds: float) -> None:
    require(type(point) is TracePoint, f"trace has {type(point).__name__}, not TracePoint")
    for name in ("seconds", "iteration", "gap"):
        value = getattr(point, name)
        if type(value) is bool or not isinstance(value, _PLAIN_NUMBERS):
            raise NonConformingError(f"trace: {name} is {type(value).__name__}, not a number")
    require(0 <= point.iteration < _ABSURD, f"trace: iteration {point.iteration}")
    most = 1.1 * seconds + 0.05
    require(0 <= point.seconds <= most, f"trace: {point.seconds} s in a run of {seconds:.2g} s")
    require(math.isfinite(point.gap) and abs(point.gap) < _ABSURD, f"trace: gap {point.gap}")


def _helpers() -> tuple[set[tuple[int | None, str]], set[int]]:
    """Python threads by id and name, and child processes."""
    threads = {(thread.ident, thread.name) for thread in threading.enumerate()}
    return threads, {child.pid for child in psutil.Process().children(recursive=True)}


def _cpu_of_all() -> float:
    """CPU seconds of this process and of all below it, running or ended."""
    running = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        running += times.user + times.system
    return cpu_seconds() + running


#: The checks by name, in the order of this file.
CHECKS: dict[str, Callable[[Solver], str]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
