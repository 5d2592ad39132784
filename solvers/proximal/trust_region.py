"""How far prices may move in one solve of a subproblem.

The radius is a quantile of the margins of the sources: while no price moves further, the sources left out (all but that
share) do not change, and the subproblem is exact. Prices may move by radius_factor radii; the full pass after a solve
says how far the subproblem's promise was kept.
"""

from __future__ import annotations

from solvers.proximal.constants import Constants

#: agreement = actual / predicted rise of phi. Above the first the subproblem can be trusted further, below the second
#: it was trusted too far.
_GOOD, _POOR = 0.5, 0.2


class TrustRegion:
    """quantile: of the positive margins; radius_factor: >= 1."""

    def __init__(self, constants: Constants) -> None:
        self._k = constants
        self.quantile = constants.quantile
        self.radius_factor = constants.first_radius_factor

    def adapt_quantile(self, *, at_boundary: bool) -> None:
        """More sources in the next subproblem where the bounds stopped prices, fewer where they did not."""
        if at_boundary:
            self.quantile = min(self._k.most_quantile, 2 * self.quantile)
        else:
            self.quantile = max(self._k.least_quantile, self._k.quantile_shrink * self.quantile)

    def adapt_factor(self, agreement: float, *, at_boundary: bool) -> None:
        """Further where the bounds stopped prices that phi agreed with, less far where phi rose by little of the
        promise.
        """
        if at_boundary and agreement > _GOOD:
            self.radius_factor *= 4
        elif agreement < _POOR:
            self.radius_factor = max(1.0, self.radius_factor / 2)

    def shrink(self, moved: float) -> None:
        """phi fell: a quarter of the radii that prices were allowed, or moved by where that was less."""
        self.radius_factor = max(1.0, min(self.radius_factor, moved) / 4)
