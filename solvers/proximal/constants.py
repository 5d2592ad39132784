"""The numbers of the proximal phase; how each was found is in solvers/NOTES.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Constants:
    """Steps are in units of 1 / primal weight, shares between 0 and 1, boxes in units of the reach."""

    first_look: int = 20  # PDHG iterations before its rate is looked at: at 10 the crowd test tells nothing yet
    look_every: int = 5  # a rate over fewer iterations is noise
    fast: float = 3.0  # PDHG goes on while it gains this factor from look to look: no pass of Newton's beats that
    crowd_step: float = 10.0  # length of the proximal step at which the crowd is counted
    crowd_share: float = 0.4  # sources used below their radius: 0.6 and more on `dualip`, at most 0.15 elsewhere
    crowd_edges: int = 20_000_000  # a crowded instance keeps all edges in its subproblem, at some 50 bytes each
    patience: int = 20  # PDHG iterations to the next look on a crowded instance
    first_step: float = 3.0  # ten times more makes no difference but on degenerate instances, where it costs
    grow: float = 3.0  # after an easy round; 2 is as good, 10 makes rounds hard
    most_step: float = 1e9  # proofs of 1e-12 took up to 1e7; z loses the centre to rounding as the step grows
    patient_rounds: int = 50  # at the longest step, without a smaller gap: rounding is all that is left
    easy: int = 2  # Newton solves that make a round easy
    solves: int = 6  # Newton solves in a round before a smaller step is tried
    free_share: float = 0.5  # more sources with free edges than this at the start: the step is too small
    free_fall: float = 0.9  # ... unless a longer one leaves more than this of them: ties hold them
    inexact: float = 0.3  # accuracy of a round against ||x - centre||: 1 is fragile
    share: float = 0.2  # quantile of the positive margins that is the reach: least passes of 0.05 to 0.3
    least_share: float = 0.005  # keeps the reach above rounding
    shrink_share: float = 0.7  # after a solve that stayed inside its box
    first_box: float = 2.0  # the subproblem is exact up to 1 and nearly so a little beyond
    newton_steps: int = 40  # more did not help where these did not
    sub_tolerance: float = 0.3  # the full pass that verifies is worth an accuracy below the round's
    cg_tolerance: float = 1e-2  # Newton with a larger one takes more steps
    cg_steps: int = 200
    first_ridge: float = 1e-6  # relative to step ||A_j||^2; 1e-4 stalls `independent`, 1e-8 makes the search cut
    least_ridge: float = 1e-7
    most_ridge: float = 1e-2
    first_trust: float = 1.0  # bound of a row's step, in units of 1 / (step rms a_j)
    curvature: float = 0.9  # a step counts while phi falls at its end no faster than this times its first rise
    tries: int = 4  # cuts of a step before the trust bounds shrink instead
    failures: int = 3  # failed searches in a row that end a solve
