"""The numbers of the proximal phase; how each was found is in solvers/NOTES.md."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class SearchRule:
    """How a Newton step is cut."""

    curvature: float
    """A step counts unless phi falls at its end faster than this times its first rise."""
    tries: int
    """Steps tried before the search has failed."""


@dataclass(frozen=True, kw_only=True)
class Constants:
    """Lengths of proximal steps are in units of 1 / primal weight; shares and quantiles are between 0 and 1."""

    first_look: int = 20
    """PDHG iterations before the switch judges their rate: after 10 the share of slack sources tells nothing yet."""
    look_every: int = 5
    """PDHG iterations between two looks: a rate over fewer is noise."""
    fast: float = 3.0
    """PDHG goes on while the gap falls by this factor from look to look: no pass of Newton's beats that."""
    slack_step: float = 10.0
    """Length of the proximal step after which slack sources are counted."""
    slack_threshold: float = 0.4
    """Share of slack sources that counts as many: it is 0.6 and more on `dualip`, at most 0.15 elsewhere."""
    slack_edges: int = 20_000_000
    """Edges of a rank up to which Newton may take over with many slack sources, whose edges all stay in the
    subproblem, at some 50 bytes each."""
    defer: int = 20
    """PDHG iterations by which many slack sources put off the switch."""

    first_step: float = 3.0
    """Length of the first proximal step: 30 makes no difference but on degenerate instances, where it costs."""
    step_growth: float = 3.0
    """Factor of the length after an easy round: 2 is as good, 10 makes rounds hard."""
    longest_step: float = 1e9
    """Proofs of 1e-12 took up to 1e7; as the step grows, z loses the centre to rounding."""
    idle_rounds: int = 50
    """Rounds at the longest step without a smaller gap, after which rounding is all that is left."""
    stuck_rounds: int = 10
    """Rounds in a row of the shortest step without convergence or a smaller gap, after which PDHG goes on."""
    take_last: bool = True
    """Whether a round goes on from its last trial even where phi has fallen: the next centre is another anyway."""
    easy_solves: int = 2
    """Newton solves up to which a round is easy."""
    most_solves: int = 6
    """Newton solves of a round, after which a shorter step is tried."""
    free_threshold: float = 0.5
    """Share of sources with free edges at the start above which the first step is too short ..."""
    free_fall: float = 0.9
    """... unless a longer one leaves more than this share of them: then ties hold them."""
    inexact: float = 0.3
    """Accuracy of a round relative to ||x - centre||: 1 is fragile."""

    quantile: float = 0.2
    """Of the positive margins, the first trust radius: of 0.05 to 0.3 this takes the least passes."""
    most_quantile: float = 0.2
    """The quantile grows up to here while the bounds stop prices."""
    least_quantile: float = 0.005
    """Keeps the radius above rounding."""
    quantile_shrink: float = 0.7
    """Factor of the quantile after a solve that stayed inside its bounds."""
    first_radius_factor: float = 2.0
    """Radii that prices may move by: the subproblem is exact up to 1, and nearly so a little beyond."""

    newton_steps: int = 40
    """Of one solve: more did not help where these did not."""
    subproblem_accuracy: float = 0.3
    """Relative to that of the round: below 1, because a full pass has to verify the solve."""
    cg_tolerance: float = 1e-2
    """Relative residual of a Newton system: with a larger one Newton takes more steps."""
    cg_steps: int = 200
    """Bound of the work for one system."""
    cg_products: int = 2_000
    """Products of a run after which its systems count as hard: then they are solved by elimination where they are small
    or sparse ..."""
    cg_entries: int = 30_000_000
    """... or entries that they read, some 0.1 s."""
    dense_rows: int = 512
    """Movable rows up to which a dense system is small: it takes a few products of conjugate gradients."""
    dense_pairs: int = 100
    """Pairs of entries of one source, for each entry, up to which a dense matrix is soon made."""
    sparse_pairs: int = 10
    """The same up to which a sparse system is soon made: 4 where a source has two free edges in two rows each."""
    sparse_degree: int = 4
    """Other rows that a row is coupled with, up to which it is eliminated: 2 to 6 are equal, 12 and more fill too
    much."""
    sparse_rows: int = 100
    """Rows that are left, up to which they are a dense system."""
    first_ridge: float = 1e-6
    """Relative to step ||A_j||^2; 1e-4 stalls `independent`, 1e-8 makes the search cut steps."""
    least_ridge: float = 1e-7
    """The ridge falls to here while whole steps are taken."""
    most_ridge: float = 1e-2
    """The ridge rises to here while steps are cut."""
    ridge_growth: float = 3.0
    """Factor of the ridge after a cut, and its inverse after a whole step: 10 makes steps too short."""

    easy_systems: int = 150
    """Newton systems of a run up to which every step has trust bounds: most runs to 1e-6 take fewer."""
    bounded_steps: int = 8
    """Later on, steps of a solve with trust bounds, after which it goes on without: 8 to 16 are equal."""
    first_trust: float = 1.0
    """Bound of the first step of a row, in units of 1 / (step rms a_j)."""
    bounded_search: SearchRule = field(default_factory=lambda: SearchRule(curvature=0.9, tries=4))
    """After its last try the trust bounds shrink instead."""
    free_search: SearchRule = field(default_factory=lambda: SearchRule(curvature=0.2, tries=5))
    """Without bounds, where nothing but the ridge makes a direction shorter."""
    steep: float = 0.5
    """A whole step is extended while phi rises at its end by more than this times its first rise ..."""
    extension: float = 4.0
    """... by this factor ..."""
    extensions: int = 6
    """... at most so often."""
    failures: int = 3
    """Failed searches in a row that end a solve."""


#: Length of the first step in a run with a warm start, whose x is right but for few sources: 10 takes more rounds, 100
#: hard ones.
STEP_FROM_START = 30.0


def constants_from_start() -> Constants:
    """The numbers where Newton's method begins the run.

    A wide trust region pays while prices have some way to go and few sources have free edges: with 0.2 throughout the
    bounds stop the prices of `slots` in solve after solve; from 0.6 on subproblems take longer.
    """
    return Constants(first_step=STEP_FROM_START, quantile=0.4, most_quantile=0.8)


def constants_for(device: str, edges: int) -> Constants:
    """The numbers for a run on `device` whose largest part has `edges` edges.

    PDHG on a GPU has done hundreds of passes in the time of a few of Newton's, which stay on the host; and the way to
    the host takes as long as the LP is large, while a pass of the GPU takes hardly longer.
    """
    if device == "cpu":
        return Constants()
    return Constants(first_look=200 if edges <= _FEW_EDGES else 800, look_every=50, defer=200)


#: Between 1e6 edges, where 200 passes are best, and 1e7, where 800 are (solvers/NOTES.md).
_FEW_EDGES = 3_000_000
