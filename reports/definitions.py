"""What the words and figures of a report mean, said once: sections point here by the name of a term."""

from __future__ import annotations

from harness import records

GAP = "Certified gap"
TIME = "Time to a certified gap"
WIN = "Win"
SUCCESS = "Success and correctness"
MEAN = "Mean time, and how failures count"
PROFILE = "Performance profile"
MEMORY = "Peak memory"
MARKS = "Marks at a time"
PREPARE = "Inside the clock"
TRACE = "The solver's own view"

DEFINITIONS = (
    (
        GAP,
        "(objective of the repaired feasible point − dual bound) / max(1, |dual bound|), computed by the referee in "
        "float64 from the answer x and dual λ of every solver alike, with both moved outward by a bound on their "
        "rounding errors: an objective within this relative distance of the optimum is proved.",
    ),
    (
        "Dual bound",
        "−b·λ + Σᵢ min { (c + Aᵀλ)ᵢ · x : x in Cᵢ } for the solver's λ ≥ 0, with Cᵢ the polytope of source i. It is a "
        "lower bound on the optimum whatever produced λ.",
    ),
    (
        "Repaired feasible point",
        "The solver's x, clipped at 0, each source scaled into its polytope, then each edge scaled by "
        "min(1, bⱼ / (Ax)ⱼ); where “=” sources are then short of z, they are refilled or changed by a small LP. Where "
        "no feasible point can be recovered there is no certified gap. Where a violation remains, of rounding, its "
        "worth is in the objective and it stands at the time as “feasible up to”, relative to the row.",
    ),
    (
        "Within tolerance, not feasible",
        "Said where rows are floors, equations or have negative coefficients, and nothing makes the solver's x satisfy "
        "them. Two numbers then stand for the certified gap, and a target is reached when both are at most the target: "
        "the priced gap, (c'x + penalties + Σ |yᵣ| violationᵣ − bound) / max(1, |bound|), and the largest violation of "
        "a hard row over 1 + |its side|. Both are ≥ 0; the optimum may lie on either side of c'x.",
    ),
    (
        PREPARE,
        "run: the solver's work from a prepared instance to its answer. prepare: conversion, upload and compilation, "
        "timed apart, and shown at the time itself (0.033 + 0.21 prepare) where it takes longer than run. Neither: "
        "generating the instance, the process of the case (isolation), its warm-up and the referee. The clock is "
        "monotonic and the device is synchronised before every reading.",
    ),
    (
        TIME,
        "For one solver and one instance, the minimum over the tolerances asked of the median over repeats of the "
        "seconds of run, among its cases whose certified gap, by the referee, is at most the target. With prepare: the "
        "same of prepare + run. A solver's own trace never counts. Where a limit of the suite (time, iterations) "
        "ended the run, the solver was there at an unknown time before: the time is an upper bound, and ≤ says so.",
    ),
    (
        WIN,
        "The fastest solver wins where a rival was asked for the same gap on the same instance and machine, and either "
        "needs longer or does not reach it. Level, no win: the ranges of their repeats overlap, or the next needs less "
        "than 1.1 times as long, where a disturbed time counts without the share of the cores that others took. "
        "Where another is faster with prepare, or one solver alone was asked, there is no win either. Solvers with "
        "options of their own (division “tuned”) are ranked among themselves. A solver whose time is at most T (≤) "
        "beats one that needs longer than T. It is not comparable with one that needs less: it neither wins nor loses, "
        "and nobody wins where it may have been the fastest. Nor does anybody win over a solver that was given less "
        "time than the fastest was given and needed.",
    ),
    (
        SUCCESS,
        "Success: instances on which the target was reached, of the instances on which the solver was asked for it. A "
        "skipped case is not asked: it is listed with its reason and counts neither as success nor as failure. "
        "Correctness: cases in which the referee confirmed the tolerance, of the cases in which the solver claimed it.",
    ),
    (
        MEAN,
        "Shifted geometric mean, (Π (tₖ + s))^(1/n) − s, over the common instances: those asked of every solver, "
        "leaving aside solvers that were asked at fewer than half, and instances where a failure had a shorter time "
        "limit than a success needed and had; beside it over those that all solvers solved, "
        "leaving aside solvers that solved fewer than half and instances with a time ≤ T. The fastest is 1. A mean "
        "with a time ≤ T in it is an upper bound itself. The shift s stands with the table: the "
        "largest power of ten not above the median of the fastest times of the instances, and at most 10 s. Penalty: "
        "where the target was not reached, the time limit of the case counts as its time; where a case had no limit, "
        "the longest time limit or run on record.",
    ),
    (
        PROFILE,
        "Dolan and Moré, 2002: the share of the common instances on which a solver reaches the target within a factor "
        "of the fastest one. Higher is better; at 1 it is how often the solver is the fastest, at the right end how "
        "often it reaches the target at all. A solver that reaches it nowhere has no curve; fewer than five common "
        "instances make no profile, and those with a time ≤ T are not in it.",
    ),
    (
        MEMORY,
        "The largest resident memory of the process that ran the case, instance and Python included, and the largest "
        "allocation on the device.",
    ),
    (
        MARKS,
        f"{records.DISTURBED}: measured while other processes or the hypervisor took a share of the solver's cores, or "
        "the machine swapped, was throttled or had its clock moved (thresholds in METHOD.md); --resume "
        f"--rerun-disturbed runs these cases again. {records.TOO_SHORT}: too short to tell, as other work on a tenth "
        "of the cores would not show in the ticks of the system's counters. No mark: looked at, and nothing found. "
        "tables/cases.csv holds what was measured.",
    ),
    (
        TRACE,
        "The gap that a solver reported about itself while it ran, the best so far. It is not certified and decides "
        "nothing in this report.",
    ),
)
#: What each status means, in the words of the enumeration.
STATUSES = {str(status): status.sentence for status in records.Status}
LIMITS = (
    "Times hold for the machine, threads, versions and settings named here; another machine can change the order.",
    "Differences of a few per cent are within the noise of a shared machine; repeats show how much it is.",
    "A time is that of a whole run that asked for a tolerance: a solver that passed the target earlier within a run "
    "that asked for more gets no credit for it.",
    "Solvers stop by rules of their own, so one may do more than it was asked; the certified gap shows it.",
)
