"""Proofs for a solver whose x lies in cells, made where x lies; certificate.py has the formulas.

A proof that fails costs a pass or two, and nothing of the size of the edges leaves the device before the answer. Only
where that is not the whole proof, x is brought into the order of the edges on the host: for '=' sources, which are
filled up one after another, where the cells hold rounded numbers, and where they lie on the disk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from instances import MatchingLP
from solvers.base import Settings, Vector
from solvers.engine.certificate import Certificate, proved_bound, proved_objective, rounding, rounding_of_answer
from solvers.engine.context import SolveContext
from solvers.engine.costs import WorkingCosts
from solvers.engine.kernel import Kernel, Tensor
from solvers.engine.layout import Layout
from solvers.engine.points import to_edges
from solvers.engine.precision import answer_dtype
from solvers.engine.progress import Progress
from solvers.engine.repair import repair
from solvers.engine.tensors import as_numpy, dot, share_within, upload

#: By how much rounded cells may put the gap off, relative.
_ROUNDED = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Proof:
    """What is proved, for all ranks. dual, factor float64[J] on the device: the dual judged, and what the budgets leave
    of x; plain: the factor is that of every edge, none without load earns anything; edges: the feasible x[E] where it
    had to be made already, else None.
    """

    certificate: Certificate
    plain: bool
    dual: Tensor
    factor: Tensor
    edges: Vector | None = None


class Prover:
    """costs: those of the cells, which are good for a proof where they are those of `lp`."""

    def __init__(
        self,
        lp: MatchingLP,
        costs: WorkingCosts,
        layout: Layout,
        kernel: Kernel,
        context: SolveContext,
        settings: Settings,
    ) -> None:
        self._lp, self._layout, self._kernel, self._context = lp, layout, kernel, context
        self._offset = costs.offset
        self._tolerance, self._dtype = settings.tolerance, answer_dtype(settings, equality=layout.has_equality)
        self._terms = float(context.group.sum(np.array([float(kernel.terms)]))[0]) + layout.destinations
        self._b = upload(lp.b, kernel.device)
        self._on_cells = costs.lp is lp and layout.exact and not layout.has_equality and not layout.storage.on_disk
        self._promising = self._tolerance + (0.0 if layout.exact else _ROUNDED)

    def prove(self, x: Tensor, dual: Tensor, progress: Progress, *, anyway: bool) -> Proof:
        """The better proof of x with `dual` >= 0 or the best one of `progress`, which then knows the proved bound.

        anyway: x is the answer whatever is proved, so it is brought to the host even without a prospect.
        """
        proof = self._judge(x, dual)
        if progress.best_bound > proof.certificate.bound:
            other = self._judge(x, upload(progress.best_dual, self._kernel.device))
            proof = max(proof, other, key=lambda proof: proof.certificate.bound)
        progress.proved(proof.certificate.bound, proof.dual)
        if self._on_cells and proof.plain:
            return proof
        if proof.certificate.gap > self._promising and not anyway:
            return replace(proof, certificate=Certificate(bound=proof.certificate.bound, objective=math.inf))
        edges = to_edges(self._layout, self._lp, self._kernel.unload(x), self._dtype)
        certificate = repair(
            self._lp, edges, as_numpy(proof.dual), self._context.group, seconds=progress.remaining
        )  # fmt: skip
        return replace(proof, certificate=certificate, edges=edges)

    def answer(self, proof: Proof, x: Tensor, scratch: Tensor) -> Vector:
        """The feasible x[E] of a proof; scratch as in Kernel.answer."""
        return self._kernel.answer(x, proof.factor, self._dtype, scratch) if proof.edges is None else proof.edges

    def _judge(self, x: Tensor, dual: Tensor) -> Proof:
        """The certificate by the cells; with '=' sources its objective is c'x and the violation at its price."""
        import torch

        judged = self._kernel.judge(dual, x)
        values: Tensor = judged.values
        factor = share_within(self._b, judged.loads)
        least, size, free_size, value = judged.sums
        if self._layout.has_equality:
            objective = value + dot(dual, (judged.loads - self._b).clamp(min=0))
        else:
            objective = dot(factor, values) + (value - values.sum())
        numbers = torch.stack((least, size, free_size, objective, dot(self._b, dual)))
        least, size, free_size, objective, budget = as_numpy(numbers).tolist()
        share = rounding(self._terms) + rounding_of_answer(self._dtype)
        certificate = Certificate(
            # without '=' sources all numbers are <= 0
            bound=proved_bound(least, abs(least), budget, self._terms) + self._offset,
            objective=proved_objective(objective, size, share) + self._offset,
        )
        return Proof(certificate=certificate, plain=free_size == 0, dual=dual, factor=factor)
