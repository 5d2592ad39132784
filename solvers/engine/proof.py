"""Proofs for a solver whose x lies in cells, made where x lies; evaluate.py and repair.py have the formulas.

J destinations, E edges. A proof that fails costs a pass or two, and nothing of the size of the edges leaves the device
before the answer. Where the cells alone prove nothing, x is brought into the order of the edges on the host and
repaired there: with '=' sources, which are filled up one after another, where the cells hold rounded numbers, and where
they lie on the disk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from instances import MatchingLP
from solvers.base import Vector
from solvers.engine.certificate import Certificate, proved_bound, proved_objective, rounding, rounding_of_answer
from solvers.engine.context import SolveContext
from solvers.engine.costs import WorkingCosts
from solvers.engine.kernel import Kernel, Tensor
from solvers.engine.layout import Layout
from solvers.engine.points import to_edges
from solvers.engine.precision import answer_dtype
from solvers.engine.progress import Progress
from solvers.engine.proof_rows import RowsOnCells
from solvers.engine.repair import repair
from solvers.engine.tensors import as_numpy, dot, factor_within, upload
from solvers.settings import Settings

#: By how much rounded cells may put the gap off, relative.
_ROUNDED = 1e-6


def suits_proofs(layout: Layout) -> bool:
    """Whether the cells alone prove: they are in memory, hold the numbers of the instance, and no source is '='."""
    return layout.exact and not layout.has_equality and not layout.storage.on_disk


@dataclass(frozen=True, kw_only=True, eq=False)
class Proof:
    """What is proved, for all ranks."""

    certificate: Certificate
    plain: bool
    """No edge without load earns or costs anything, so scaling by row repairs every edge that counts."""
    dual: Tensor
    """float64[J] on the device: the dual of the bound."""
    factor: Tensor
    """float64[J] on the device: what the budgets leave of x."""
    edges: Vector | None = None
    """The feasible x[E] where it had to be made already."""


class Prover:
    """Proves points in cells. costs: those of the cells, good for a proof where they are those of `lp`."""

    def __init__(
        self,
        lp: MatchingLP,
        costs: WorkingCosts,
        layout: Layout,
        kernel: Kernel,
        context: SolveContext,
        settings: Settings,
    ) -> None:
        self._lp = lp
        self._layout = layout
        self._kernel = kernel
        self._context = context
        self._offset = costs.offset
        self._dtype = answer_dtype(settings, equality=layout.has_equality)
        self._terms = float(context.group.sum(np.array([float(kernel.terms)]))[0]) + layout.destinations
        self._short_form = lp.is_short_form
        self._b = upload(lp.b, kernel.device) if lp.is_short_form else None
        self._on_cells = costs.lp is lp and suits_proofs(layout)
        self._rows = RowsOnCells(lp=lp, kernel=kernel, terms=self._terms, answer_dtype=self._dtype)
        self._promising = settings.tolerance + (0.0 if layout.exact else _ROUNDED)

    @property
    def on_cells(self) -> bool:
        """Whether the cells alone may prove, by scaling each row."""
        return self._short_form and self._on_cells

    def prove(self, x: Tensor, dual: Tensor, progress: Progress, *, anyway: bool) -> Proof:
        """The better proof of x with `dual` >= 0 or the best one of `progress`, which then knows the proved bound.

        anyway: x is the answer whatever is proved, so it is brought to the host even without a prospect.
        """
        if not self._short_form:
            return self._prove_rows(x, dual, progress)
        proof = self._certify(x, dual)
        if progress.best_bound > proof.certificate.bound:
            other = self._certify(x, upload(progress.best_dual, self._kernel.device))
            proof = max(proof, other, key=lambda proof: proof.certificate.bound)
        progress.proved(proof.certificate.bound, proof.dual)
        if self._on_cells and proof.plain:
            return proof
        if proof.certificate.gap > self._promising and not anyway:
            return replace(proof, certificate=Certificate(bound=proof.certificate.bound, objective=math.inf))
        edges = to_edges(self._layout, self._lp, self._kernel.unload(x), self._dtype)
        dual_on_host = as_numpy(proof.dual)
        certificate = repair(self._lp, edges, dual_on_host, self._context.group, progress.search)
        return replace(proof, certificate=certificate, edges=edges)

    def _prove_rows(self, x: Tensor, dual: Tensor, progress: Progress) -> Proof:
        """The better proof of the two duals beyond the short form: by the cells, or in the order of the edges."""
        edges = None if self._on_cells else to_edges(self._layout, self._lp, self._kernel.unload(x), self._dtype)

        def proof_with(dual: Tensor) -> Proof:
            if edges is None:
                certificate, scale = self._rows.certify(x, as_numpy(dual))
                factor = upload(scale, self._kernel.device)
                return Proof(certificate=certificate, plain=False, dual=dual, factor=factor)
            certificate = repair(self._lp, edges, as_numpy(dual), self._context.group, progress.search)
            return Proof(certificate=certificate, plain=False, dual=dual, factor=dual, edges=edges)

        proof = proof_with(dual)
        if progress.best_bound > proof.certificate.bound:
            other = proof_with(upload(progress.best_dual, self._kernel.device))
            proof = max(proof, other, key=lambda proof: proof.certificate.bound)
        progress.proved(proof.certificate.bound, proof.dual)
        return self._within_rows(proof, x, progress)

    def _within_rows(self, proof: Proof, x: Tensor, progress: Progress) -> Proof:
        """`proof`; where the cells leave rows and x costs no more than the tolerance, that of a repair by edges."""
        certificate, search = proof.certificate, progress.search
        if proof.edges is not None or certificate.feasible or certificate.priced_gap > search.enough:
            return proof
        edges = to_edges(self._layout, self._lp, self._kernel.unload(x), self._dtype)
        certificate = repair(self._lp, edges, as_numpy(proof.dual), self._context.group, search)
        return replace(proof, certificate=certificate, edges=edges)

    def answer(self, proof: Proof, x: Tensor, scratch: Tensor) -> Vector:
        """The feasible x[E] of a proof; scratch as in Kernel.answer."""
        return self._kernel.answer(x, proof.factor, self._dtype, scratch) if proof.edges is None else proof.edges

    def _certify(self, x: Tensor, dual: Tensor) -> Proof:
        """The certificate by the cells. With '=' sources, which scaling leaves unserved, its objective is an estimate:
        c'x and the violation at its price.
        """
        import torch

        found = self._kernel.evaluate_feasible(dual, x)
        values: Tensor = found.values
        factor = factor_within(self._b, found.loads)
        least, size, free_size, value = found.sums
        if self._layout.has_equality:
            objective = value + dot(dual, (found.loads - self._b).clamp(min=0))
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
