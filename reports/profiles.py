"""Comparing solvers over many instances: performance profiles and shifted geometric means.

S solvers, P instances; times[P, S] in seconds, NaN where the solver did not reach the target.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

LARGEST_SHIFT = 10.0  # seconds


def performance_profile(times: pd.DataFrame) -> pd.DataFrame:
    """Share of instances that each solver solves within a factor r of the fastest one, by r.

        rho_s(r) = |{p : t[p, s] / min over s of t[p, s] <= r}| / P

    Dolan and More, "Benchmarking optimization software with performance profiles", Math. Program. 91 (2002).
    An instance that nobody solves counts in P. Index: every ratio at which a curve rises, beginning with 1.
    """
    ratios = times.div(times.min(axis=1), axis=0)
    steps = np.unique(np.append(ratios.to_numpy().ravel(), 1.0))
    steps = steps[np.isfinite(steps)]
    shares = {
        solver: np.searchsorted(np.sort(ratio.dropna()), steps, side="right") / max(1, len(times))
        for solver, ratio in ratios.items()
    }
    return pd.DataFrame(shares, index=pd.Index(steps, name="factor"))


def shift_of(fastest: npt.ArrayLike) -> float:
    """The shift that fits instances whose `fastest` times these are: the largest power of ten not above their median.

    Never above 10 s. A shift far below the times leaves the shortest of them in charge of the mean; one far above them
    makes it the arithmetic mean, so it is the fastest solver whose times count.
    """
    values = np.asarray(fastest, dtype=float)
    median = float(np.median(values)) if values.size else 0.0
    return min(LARGEST_SHIFT, 10.0 ** np.floor(np.log10(median))) if median > 0 else LARGEST_SHIFT


def shifted_geometric_mean(seconds: npt.ArrayLike, shift: float) -> float:
    """(product of (t + shift))^(1/n) - shift; NaN of nothing."""
    values = np.asarray(seconds, dtype=float)
    if not values.size:
        return float("nan")
    return float(np.exp(np.log(values + shift).mean()) - shift)


def comparable(asked: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Solvers and instances of a fair comparison: asked[P, S] says what was tried.

    Solvers that were asked at half of the instances or more, and the instances that all of these were asked.
    """
    enough = asked.columns[asked.mean(axis=0) >= 0.5]
    together = asked.index[asked[enough].all(axis=1)] if len(enough) else asked.index[:0]
    return list(enough), list(together)
