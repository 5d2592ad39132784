"""Adapters that try to look better than they are, each in a few lines: what the record says of them all the same.

The honest way to answer takes half a second (`slow`). A trick that works is a run of less than half of that.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.case import Case
from harness.isolation.isolated import Isolated
from harness.isolation.limits import Limits
from harness.result import Result
from solvers import Settings

SPEC = "unit:sources=200,destinations=10,degree=4,seed=1"
SECONDS = 0.5
HEAD = f"""
import gc, json, os, pickle, signal, socket, sys, threading, time
import numpy as np
from instances import MatchingLP
from scipy.optimize import linprog
from solvers import EXPLICIT_KINDS, Answer, Availability, Solver, Status, TracePoint

sleep = time.sleep

def slow(lp):
    sleep({SECONDS})
    explicit = lp.to_explicit()
    rows = explicit.matrix.tocsr()
    found = linprog(explicit.c, A_ub=rows, b_ub=explicit.row_upper, bounds=(0, 1))
    return found.x, -found.ineqlin.marginals[: lp.destinations]

def answer(x, dual, **more):
    return Answer(x=x, dual=dual, status=Status.SOLVED, **more)

def sockets():
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{{name}}").startswith("socket:"):
                yield socket.socket(fileno=os.dup(int(name)))
        except OSError:
            pass

def tell(body):
    for line in sockets():
        try:
            line.send(body if isinstance(body, bytes) else json.dumps(body).encode())
        except OSError:
            pass

class Honest:
    id, title, citation, bytes_per_edge = "mine", "mine", "mine", 0.0
    polytopes = EXPLICIT_KINDS

    def available(self):
        return Availability(ok=True, version="1")

    def prepare(self, lp, settings):
        return lp

    def run(self, lp):
        return answer(*slow(lp))

def large(lp):
    return lp.sources > 50

def of_callers():
    frame = sys._getframe()
    while frame is not None:
        for value in frame.f_locals.values():
            if isinstance(value, MatchingLP) and large(value):
                return value
        frame = frame.f_back
"""
HONEST = "class Mine(Honest, Solver):\n    pass"
LAZY_DUAL = """
class Mine(Honest, Solver):
    def run(self, lp):
        known = {}
        def solved():
            known["it"] = known.get("it") or slow(lp)
            return known["it"]
        class Lazy:
            def __init__(self, which): self.which = which
            def __array__(self, dtype=None, copy=None): return solved()[self.which]
        return answer(Lazy(0), Lazy(1))
"""
LAZY_TRACE = """
class Mine(Honest, Solver):
    def run(self, lp):
        x, dual = np.zeros(lp.edges), np.zeros(lp.destinations)
        class Lazy:
            def __iter__(self):
                x[:], dual[:] = slow(lp)
                return iter(())
        return answer(x, dual, trace=Lazy())
"""
THREAD_AND_TEXT = """
class Mine(Honest, Solver):
    def run(self, lp):
        x, dual = np.zeros(lp.edges), np.zeros(lp.destinations)
        def work():
            x[:], dual[:] = slow(lp)
        thread = threading.Thread(target=work)
        thread.start()
        class Joined:
            def __str__(self):
                thread.join()
                return "done"
        return answer(x, dual, raw_status=Joined())
"""
IN_UNSUITED = """
class Mine(Honest, Solver):
    def unsuited(self, lp):
        self.known = slow(lp)
        return ""
    def run(self, lp):
        return answer(*self.known)
"""
IN_PREPARE = """
class Mine(Honest, Solver):
    def prepare(self, lp, settings):
        return slow(lp)
    def run(self, known):
        return answer(*known)
"""
IN_AVAILABLE = """
class Mine(Honest, Solver):
    known = None
    def available(self):
        lp = of_callers()
        if lp is not None:
            Mine.known = slow(lp)
        return Availability(ok=True, version="1")
    def run(self, lp):
        return answer(*(Mine.known if Mine.known and large(lp) else slow(lp)))
"""
AT_IMPORT = """
known = None
if of_callers() is not None:
    known = slow(of_callers())
class Mine(Honest, Solver):
    def run(self, lp):
        return answer(*(known if known and large(lp) else slow(lp)))
"""
IN_WARM_UP = """
class Mine(Honest, Solver):
    known = None
    def prepare(self, lp, settings):
        if not large(lp):
            assert all(array.base is None or array.base.size <= array.size for array in (lp.a, lp.c, lp.destination))
            found = of_callers()
            Mine.known = None if found is None else slow(found)
        return lp
    def run(self, lp):
        return answer(*(Mine.known if Mine.known and large(lp) else slow(lp)))
"""
CLOCKS = """
import time
for name in ("perf_counter", "monotonic", "time", "perf_counter_ns", "monotonic_ns"):
    setattr(time, name, lambda: 0)
class Mine(Honest, Solver):
    pass
"""
SLOW_DELIVERY = """
class Mine(Honest, Solver):
    def run(self, lp):
        if not large(lp):
            return answer(*slow(lp))
        tell({"step": "deliver"})
        x, dual = slow(lp)
        descriptor = max(int(n) for n in os.listdir("/proc/self/fd") if "dualbench-answer" in links(n))
        os.write(descriptor, np.float64(x).tobytes() + np.float64(dual).tobytes())
        tell({"step": "check"})
        tell({"result": {"status": "solved", "raw_status": "", "iterations": None, "trace": [], "complaint": "",
            "arrays": [["x", "<f8", lp.edges], ["dual", "<f8", lp.destinations]], "peak": {}, "disturbance": {}}})
        os._exit(0)

def links(name):
    try:
        return os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        return ""
"""
#: What is slow has to be in `run`, or else in `prepare`, where the report shows it beside the run.
IN_RUN = {
    "honest": HONEST, "a lazy x and dual": LAZY_DUAL, "a lazy trace": LAZY_TRACE,
    "a thread that __str__ joins": THREAD_AND_TEXT, "in available, from the callers": IN_AVAILABLE,
    "at import, from the callers": AT_IMPORT, "in the warm-up, from the callers": IN_WARM_UP,
    "other clocks": CLOCKS, "a forged end with an answer of its own": SLOW_DELIVERY,
}  # fmt: skip
IN_PREPARE_INSTEAD = {"in unsuited": IN_UNSUITED, "in prepare": IN_PREPARE}


class Place:
    def __init__(self, folder: Path) -> None:
        self.folder, self.isolated, self._number = folder, Isolated(1, folder / "log"), 0

    def run(self, adapter: str, limits: Limits | None = None, *, time_limit: float = 20.0, spec: str = SPEC) -> Result:
        """The outcome of an adapter; `adapter` follows the common head."""
        self._number += 1
        file = self.folder / f"cheat_{self._number}.py"
        # only the class Mine counts: the loader wants one concrete class in a file
        text = HEAD.replace(
            "class Honest:", "import abc\nclass Honest:\n    @abc.abstractmethod\n    def mine(self): ...\n"
        )
        file.write_text(text + adapter + "\n    def mine(self): ...\n")
        self.isolated.limits = limits or Limits(grace=30.0, reply=5.0)
        settings = Settings(time_limit=time_limit)
        case = Case(suite="s", instance="i", spec=spec, solver=str(file), settings=settings)
        return self.isolated.run(case, lambda _: None)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("cheats"))
    yield made
    made.isolated.stop()


@pytest.mark.parametrize("name", IN_RUN)
def test_work_wherever_it_hides_is_time_of_run(place: Place, name: str) -> None:
    outcome = place.run(IN_RUN[name])
    assert outcome.status == "solved", outcome.reason
    assert outcome.isolated
    assert outcome.seconds.run is not None
    assert outcome.seconds.run > SECONDS / 2


@pytest.mark.parametrize("name", IN_PREPARE_INSTEAD)
def test_work_before_the_run_is_time_of_prepare(place: Place, name: str) -> None:
    outcome = place.run(IN_PREPARE_INSTEAD[name])
    assert outcome.status == "solved", outcome.reason
    assert outcome.seconds.prepare is not None
    assert outcome.seconds.run is not None
    assert outcome.seconds.prepare > SECONDS / 2 > outcome.seconds.run


def in_the_run(does: str) -> str:
    """An adapter that is well-behaved in its warm-up, and in its run does what is said and answers nonsense."""
    body = textwrap.indent(textwrap.dedent(does).strip(), " " * 12)
    return f"""
class Mine(Honest, Solver):
    def prepare(self, lp, settings):
        self.settings = settings
        return lp
    def run(self, lp):
        if large(lp):
{body}
        return answer(np.zeros(lp.edges), np.zeros(lp.destinations))
"""


@pytest.mark.parametrize(
    "does",
    [
        """
        import harness.referee, harness.solve, harness.verdict
        for module in (harness.referee, harness.solve, harness.verdict):
            for name in ("certify", "verdict", "judge"):
                if hasattr(module, name):
                    setattr(module, name, lambda *a, **k: None)
        """,
        "object.__setattr__(self.settings, 'tolerance', 0.999999999)",
        "lp.c[:] = 0\nlp.__dict__['tightened'] = lp",
    ],
    ids=["another referee", "another tolerance", "other costs"],
)
def test_what_an_adapter_changes_in_its_process_does_not_reach_the_judge(place: Place, does: str) -> None:
    outcome = place.run(in_the_run(does))
    assert outcome.status in ("inaccurate", "error")
    assert "the certified gap is" in outcome.reason or "wrote into c of the instance" in outcome.reason


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("tell({'step': 'run'})", "'run' after run, expected deliver"),
        ("tell({'step': 'prepare'})", "'prepare' after run, expected deliver"),
        ("tell({'step': 'deliver'})", "'deliver' after deliver, expected check"),
        ("tell({'result': {'status': 'solved'}})", "an answer before its time"),
        ("tell({'result': {'failed': ['solved', '']}})", "a failure that does not have the form of one"),
        ("tell({'outcome': 1})", "['outcome']"),
        ("tell(pickle.dumps({'step': 'deliver'}))", "a message that is no JSON object"),
        ("tell(b'[' * 1000)", "a message that is no JSON object"),
        ("tell(b'x' * 140000)", "a message of more than 131,072 bytes"),
        ("[tell({'step': 'run'}) for _ in range(2000)]", "'run' after run, expected deliver"),
    ],
)
def test_a_forged_message_ends_the_case_with_the_reason(place: Place, does: str, words: str) -> None:
    outcome = place.run(in_the_run(does + "\nsleep(600)" if "deliver'" not in does else does))
    assert outcome.status == "error"
    assert outcome.reason.startswith("the adapter's process broke the protocol: ")
    assert words in outcome.reason
    assert place.run(HONEST).status == "solved"


def test_nothing_that_an_adapter_sends_is_unpickled(place: Place) -> None:
    mark = place.folder / "unpickled"
    does = f"""
    class Evil:
        def __reduce__(self):
            return open, ({str(mark)!r}, "w")
    tell(pickle.dumps(Evil()))
    sleep(600)
    """
    assert place.run(in_the_run(does)).status == "error"
    assert not mark.exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("iterations=10**400", "expected a whole number up to 1e+15 or None"),
        ("trace=[TracePoint(seconds=-1.0, iteration=1, gap=1.0)]", "expected seconds that do not fall"),
        ("trace=[TracePoint(seconds=1e308, iteration=1, gap=1.0)]", "expected seconds that do not fall"),
        ("trace=[TracePoint(seconds=float('inf'), iteration=1, gap=1.0)]", "expected seconds that do not fall"),
        ("trace=[TracePoint(seconds=1.0, iteration=-3, gap=1.0)]", "expected seconds that do not fall"),
        ("trace=[TracePoint(seconds=s, iteration=1, gap=1.0) for s in (5, 1)]", "expected seconds that do not fall"),
    ],
)
def test_absurd_numbers_are_refused_in_one_line(place: Place, more: str, words: str) -> None:
    does = f"return answer(np.zeros(lp.edges), np.zeros(lp.destinations), {more})"
    outcome = place.run(in_the_run(does))
    assert outcome.status == "error"
    assert words in outcome.reason
    assert "\n" not in outcome.reason


def test_a_count_of_minus_one_and_a_gap_without_end_are_no_numbers(place: Place) -> None:
    does = """
    trace = [TracePoint(seconds=1.0, iteration=1, gap=float("inf")), TracePoint(seconds=1.0, iteration=2, gap=1e308)]
    return answer(np.zeros(lp.edges), np.zeros(lp.destinations), iterations=-1, trace=trace)
    """
    answer = place.run(in_the_run(does)).answer
    assert answer is not None
    assert answer.iterations is None
    assert [(point.seconds, point.iteration) for point in answer.trace] == [(1.0, 1), (1.0, 2)]
    assert all(math.isnan(point.gap) for point in answer.trace)


@pytest.mark.parametrize(
    ("does", "status"),
    [
        ("os.kill(os.getppid(), signal.SIGSTOP)", "crashed"),
        ("os.kill(os.getpid(), signal.SIGSTOP)", "time_limit"),
        ("os.close(3); [os.close(n) for n in range(4, 64) if os.path.exists(f'/proc/self/fd/{n}')]", "error"),
    ],
    ids=["the holder", "itself", "its descriptors closed"],
)
def test_a_process_that_is_stopped_or_cut_off_costs_one_row(place: Place, does: str, status: str) -> None:
    limits = Limits(grace=0.2, reply=3.0)
    outcome = place.run(in_the_run(does), limits, time_limit=1.0)
    assert outcome.status in (status, "crashed")
    assert place.run(HONEST).status == "solved"


def test_a_server_that_a_case_has_stopped_costs_the_next_case_nothing(place: Place) -> None:
    import psutil

    server = "import psutil; psutil.Process(os.getppid()).parent().suspend()"
    outcome = place.run(in_the_run(server), Limits(grace=30.0, reply=3.0))
    assert outcome.status == "inaccurate"
    other = SPEC.replace("seed=1", "seed=2")
    assert place.run(HONEST, Limits(grace=30.0, reply=3.0), spec=other).status == "solved"
    assert not [p for p in psutil.process_iter() if p.ppid() == psutil.Process().pid and p.status() == "stopped"]
