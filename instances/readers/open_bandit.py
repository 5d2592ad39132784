"""Minimum exposure of items: Open Bandit Dataset, women's campaign, uniform random policy, the small sample.

    maximise sum value_ij x_ij    subject to    sum_j x_ij = 1 for each impression i,
                                                20 <= sum_i x_ij <= 100 for each item j

Source: one of the first 2,000 impressions; every item can be shown. value_ij = (clicks_j + 1) / (shows_j + 100) times
1 + the affinity of impression i to item j; clicks and shows are those of the whole log. 95 % of the impressions
have no affinity at all, so that most sources are alike.
Y. Saito, S. Aihara, M. Matsutani and Y. Narita, Open Bandit Dataset and Pipeline, arXiv:2008.07146.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from instances.matching import MatchingLP
from instances.polytopes.simplex import Simplex
from instances.readers._data import DataSpec
from instances.rows import Rows
from instances.spec import require_whole

_FILE = "random-women.csv"
_AFFINITY = "user-item_affinity_"
_LEAST = 20.0
_MOST = 100.0


@dataclass(frozen=True, kw_only=True)
class OpenBanditSpec(DataSpec):
    """Items shown to the first impressions of the log."""

    scheme: ClassVar[str] = "open-bandit"
    folder: ClassVar[str] = "open-bandit"

    impressions: int = 2000
    """Taken from the start of the log; 46 items between 20 and 100 need 920 to 4,600 of them."""

    def check(self) -> None:
        require_whole("impressions", self.impressions, least=1)

    @property
    def files(self) -> tuple[str, ...]:
        return (_FILE,)

    def build(self) -> MatchingLP:
        lines = list(csv.DictReader(io.StringIO(self.content_of(_FILE).decode())))
        items = sum(key.startswith(_AFFINITY) for key in lines[0])
        shown = np.array([int(line["item_id"]) for line in lines])
        clicked = np.array([float(line["click"]) for line in lines])
        rate = (np.bincount(shown, clicked, items) + 1) / (np.bincount(shown, minlength=items) + 100)

        sources = lines[: self.impressions]
        affinity = np.array([[float(line[f"{_AFFINITY}{item}"]) for item in range(items)] for line in sources])
        return MatchingLP(
            offsets=np.arange(len(sources) + 1) * items,
            c=-(rate * (1 + affinity)).ravel(),
            polytope=Simplex(z=1.0, equality=True),
            rows=[
                Rows(
                    "item",
                    row=np.tile(np.arange(items, dtype=np.int32), len(sources)),
                    lower=np.full(items, _LEAST),
                    upper=np.full(items, _MOST),
                )
            ],
        )


READER = OpenBanditSpec
