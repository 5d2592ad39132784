"""What the words and figures of a report mean, said once."""

from __future__ import annotations

from harness import records
from reports.profiles import SHIFT

TIME_TO_GAP = (
    "Time to a certified gap: for one solver and one instance, the minimum over the tolerances asked of the median "
    "over repeats of the seconds of run, among its cases whose certified gap, by the referee, is at most the target. "
    "With prepare: the same of prepare + run. A solver's own trace never counts."
)
TRACE = (
    "The solver's own view: the gap that the solver reported about itself while it ran. It is not certified and "
    "decides nothing in this report."
)
SUCCESS = (
    "Success: instances on which the target was reached, of the instances on which the solver was asked for it. "
    "A skipped case is not asked: it is listed with its reason and counts neither as success nor as failure."
)
CORRECTNESS = (
    "Correctness: cases in which the referee confirmed the tolerance, of the cases in which the solver claimed it."
)
MEAN = (
    f"Mean time: shifted geometric mean with a shift of {SHIFT:g} s over the common instances, those asked of every "
    "solver, leaving aside solvers that were asked at fewer than half. Penalty: where the target was not reached, the "
    "time limit of the case counts as its time; where a case had no limit, the longest time limit or run on record."
)
PROFILE = (
    "Performance profile (Dolan and Moré, 2002): the share of the common instances on which a solver reaches the "
    "target within a factor of the fastest one. Higher is better; at 1 it is how often the solver is the fastest, at "
    "the right end how often it reaches the target at all."
)
MEMORY = (
    "Peak memory: the largest resident memory of the process that ran the case, instance and Python included, and the "
    "largest allocation on the device."
)
DISTURBED = (
    f"Disturbed: a time marked {records.DISTURBED} was measured while other processes or the hypervisor took a share "
    "of the solver's cores, or the machine swapped, was throttled or had its clock moved (thresholds in METHOD.md). "
    "tables/cases.csv holds what was measured; --resume --rerun-disturbed runs these cases again."
)
DEFINITIONS = (
    (
        "Certified gap",
        "(objective of the repaired feasible point − dual bound) / max(1, |dual bound|), computed by the referee in "
        "float64 from the answer x and dual λ of every solver alike. It is at least 0 up to rounding, whatever the "
        "solver did: an objective within this relative distance of the optimum is proved.",
    ),
    (
        "Dual bound",
        "−b·λ + Σᵢ min { (c + Aᵀλ)ᵢ · x : x in Cᵢ } for the solver's λ ≥ 0, with Cᵢ the polytope of source i. It is a "
        "lower bound on the optimum whatever produced λ.",
    ),
    (
        "Repaired feasible point",
        "The solver's x, clipped at 0, each source scaled into its polytope, then each edge scaled by "
        "min(1, bⱼ / (Ax)ⱼ). Where no feasible point can be recovered there is no certified gap.",
    ),
    (
        "Inside the clock",
        "run: the solver's work from a prepared instance to its answer. prepare: conversion, upload and compilation, "
        "timed apart. Neither: generating the instance, the process of the case (isolation), its warm-up and the "
        "referee. The clock is monotonic and the device is synchronised before every reading.",
    ),
    ("Time to a certified gap", TIME_TO_GAP.partition(": ")[2]),
    ("Success and correctness", f"{SUCCESS} {CORRECTNESS}"),
    ("How failures count", MEAN),
    ("Performance profile", PROFILE.partition(": ")[2]),
    ("Peak memory", MEMORY.partition(": ")[2]),
    ("Disturbed", DISTURBED.partition(": ")[2]),
)
STATUSES = {
    "solved": "the solver claims the tolerance and the referee agrees",
    "inaccurate": "the solver claims the tolerance, the referee certifies a larger gap or none",
    "iteration_limit": "stopped at the iteration limit without claiming the tolerance",
    "time_limit": "stopped at the time limit, by itself or by the harness",
    "memory_limit": "ended because memory ran out",
    "infeasible": "the solver says that no x satisfies the constraints",
    "crashed": "the process died",
    "error": "the solver raised, or stopped without an answer",
    "skipped": "not tried; the reason says why",
}
LIMITS = (
    "Times hold for the machine, threads, versions and settings named here; another machine can change the order.",
    "Differences of a few per cent are within the noise of a shared machine; repeats show how much it is.",
    "A time is that of a whole run that asked for a tolerance: a solver that passed the target earlier within a run "
    "that asked for more gets no credit for it.",
    "Solvers stop by rules of their own, so one may do more than it was asked; the certified gap shows it.",
)
