"""Matching with covariate balance: who of the CPS survey is compared with whom of a job training programme (NSW).

    minimise sum distance_ij x_ij   subject to   sum_j x_ij = 1 for each treated i,  sum_i x_ij <= 1 for each control j,
                                                 |sum_ij (B_jk - A_ik) x_ij| <= 0.01 n for each covariate k

A and B: covariates of the n = 185 treated and of the 15,992 controls, standardised over all 16,437 people of the two
files (population deviation); distance: Euclidean. Edges: the `neighbours` nearest controls of each treated, of equal
ones the first of the file. Controls without an edge have no row. The balance rows are one family with an entry for
each difference that is not 0.
R. J. LaLonde, Evaluating the econometric evaluations of training programs with experimental data, 1986; R. H. Dehejia
and S. Wahba, Causal effects in nonexperimental studies, 1999; J. R. Zubizarreta, C. Kilcioglu and J. P. Vielma,
designmatch.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from instances.matching import MatchingLP
from instances.polytopes.simplex import Simplex
from instances.readers._data import DataSpec
from instances.rows import RaggedRows, Rows
from instances.spec import require_whole

_TREATED_FILE = "nsw_mixtape.csv"
_CONTROL_FILE = "cps_mixtape.csv"
_COVARIATES = ("age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75")
_IMBALANCE = 0.01  # standard deviations by which the means of a covariate may differ

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LalondeSpec(DataSpec):
    """The matching problem on the nearest controls."""

    scheme: ClassVar[str] = "lalonde"
    folder: ClassVar[str] = "lalonde"

    neighbours: int = 50
    """Controls that each treated can be matched with."""

    def check(self) -> None:
        require_whole("neighbours", self.neighbours, least=1)

    @property
    def files(self) -> tuple[str, ...]:
        return (_TREATED_FILE, _CONTROL_FILE)

    def build(self) -> MatchingLP:
        trial, treats = self._people(_TREATED_FILE)
        survey, _ = self._people(_CONTROL_FILE)
        everybody = np.concatenate((trial, survey))
        mean, deviation = everybody.mean(axis=0), everybody.std(axis=0)
        treated = (trial[treats] - mean) / deviation
        control = (survey - mean) / deviation

        nearest, distance = _nearest(treated, control, min(self.neighbours, len(control)))
        chosen, row = np.unique(nearest, return_inverse=True)
        difference = (control[nearest] - treated[:, None]).reshape(-1, len(_COVARIATES))
        return MatchingLP(
            offsets=np.arange(len(treated) + 1) * nearest.shape[1],
            c=distance.ravel(),
            polytope=Simplex(z=1.0, equality=True),
            rows=[
                Rows("control", row=row.ravel().astype(np.int32), upper=np.ones(chosen.size), keys=chosen),
                _balance(difference, _IMBALANCE * len(treated)),
            ],
        )

    def _people(self, name: str) -> tuple[Float64, npt.NDArray[np.bool_]]:
        """Covariates float64[people, covariates] of a file, and who of them was treated."""
        lines = list(csv.DictReader(io.StringIO(self.content_of(name).decode())))
        covariates = np.array([[float(line[key]) for key in _COVARIATES] for line in lines])
        return covariates, np.array([line["treat"] == "1" for line in lines])


def _nearest(treated: Float64, control: Float64, count: int) -> tuple[npt.NDArray[np.int64], Float64]:
    """The `count` nearest controls of each treated, nearest first, and their distances; int64 and float64[n, count]."""
    distance = np.stack([np.sqrt(((control - person) ** 2).sum(axis=1)) for person in treated])
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :count]
    return nearest, np.take_along_axis(distance, nearest, axis=1)


def _balance(difference: Float64, limit: float) -> RaggedRows:
    """A row for each covariate over the edges, from difference float64[E, covariates]."""
    edge, covariate = np.nonzero(difference)
    entries = np.bincount(edge, minlength=len(difference))
    return RaggedRows(
        "balance",
        entry_offsets=np.concatenate(([0], np.cumsum(entries))),
        row=covariate.astype(np.int32),
        coefficient=difference[edge, covariate],
        lower=np.full(len(_COVARIATES), -limit),
        upper=np.full(len(_COVARIATES), limit),
        keys=list(_COVARIATES),
    )


READER = LalondeSpec
