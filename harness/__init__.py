"""The harness: suites of cases, the referee that judges them, and the records they leave.

One case, from `dualbench run smoke` to its row:

    cli.run                      reads the suite (suite_file.py -> suite.py), locks and opens the folder (folder.py)
    runner.run_suite             for each case that the folder lacks:
      isolated.Isolated.run        keeps a server (__main__.py), which forks a holder of the instance (child.py)
      trial.Trial.result             the holder forks a child for the case
        child._solve                   load, warm-up, prepare, run, deliver, check (steps.py); worker.py and attempt.py
                                       do it, in a run without processes too
        watch.Watch                    follows these steps from outside: times, limits, the end
        delivery.require_claim         the answer is a claim, in bytes and JSON: checked, not believed
        child._judge                   another child of the holder: referee.certify, verdict.verdict
      -> Result (result.py)        what came of the case
    recording.case_record        -> CaseRecord (record.py): every field of the row with its sentence and its shape
    records.append               -> records.jsonl; reports/ reads nothing else

`solve` for a notebook, pytest_plugin.py and `run --in-process` take the same path from attempt.py on, in one process.
`Session` is a loop of `solve` that keeps memory and the last answer. `solve_problem` and `dualbench solve` come from a
user's own tables and end in decisions by key (decisions/).
"""

from harness.carried import carried
from harness.certificate import Certificate
from harness.decisions.serving import Served, decide
from harness.decisions.solution import Solution
from harness.decisions.solving import solve_problem
from harness.integral.decide import WholeDecisions, whole_decisions
from harness.referee import certify
from harness.result import Result
from harness.session import Session
from harness.solve import solve
from harness.starts import read_start, write_start

__all__ = [
    "Certificate",
    "Result",
    "Served",
    "Session",
    "Solution",
    "WholeDecisions",
    "carried",
    "certify",
    "decide",
    "read_start",
    "solve",
    "solve_problem",
    "whole_decisions",
    "write_start",
]
