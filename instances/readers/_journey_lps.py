"""The LPs of the Complete Journey data: which coupon goes to which household. Value: what the household spent, dollars.

A household gets one coupon in all (its edges sum to at most 1), but for box-cut.

    slots      a category has ceil(households / categories) = 9 coupons to give
    money      a coupon costs a tenth of the value; a category has 2 % of what all its coupons would cost
    box-cut    one campaign of the study: a household at most 16 coupons, each at most once; a coupon goes to at most
               ceil(16 I / J) households
    nested     money, and a budget a department and one in all, each 80 % of the budgets within: their sum never binds
    floors     slots, and every category at least 5 coupons, or as many as it has households
    fairness   slots, and no income group (below 35, below 75, at least 75 thousand) gets less value a household than
               90 % of the mean of all households whose income is known
    recurring  money with the value of one quarter: four solves of one pattern of edges
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.matching import MatchingLP
from instances.polytopes.box_cut import BoxCut
from instances.rows import Rows

Indices = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_COUPON_COST = 0.1  # of the value
_BUDGET = 0.02  # of what all coupons of a category would cost
_NESTED_BUDGET = 0.8  # of the budgets within
_FLOOR = 5
_MEAN_SHARE = 0.9  # of the mean value a household
_CAMPAIGN_COUPONS = 16  # a household
#: The income bands of the study by group, which has a row of its own.
_INCOME_GROUPS = (
    ("Under 15K", "15-24K", "25-34K"),
    ("35-49K", "50-74K"),
    ("75-99K", "100-124K", "125-149K", "150-174K", "175-199K", "200-249K", "250K+"),
)


@dataclass(frozen=True, kw_only=True)
class Spending:
    """Who spent on what: edges in the order of households, then categories."""

    household: Indices
    """Number of each edge in the study, int64[E]."""
    category: Indices
    """int64[E]."""
    cents: Float64
    """float64[E, 4], by quarter."""
    names: Sequence[str]
    """Of each category."""
    department: Indices
    """Of each category."""
    departments: Sequence[str]
    income: dict[int, str]
    """Income band by household, where it is known."""

    @property
    def value(self) -> Float64:
        """Dollars of the year, float64[E]."""
        dollars: Float64 = self.cents.sum(axis=1) / 100
        return dollars

    @property
    def offsets(self) -> Indices:
        _, counts = np.unique(self.household, return_counts=True)
        return np.concatenate(([0], np.cumsum(counts)))


def spending(content_of: Callable[[str], bytes]) -> Spending:
    """From household-category.csv, categories.csv and households.csv."""
    numbers = numeric(content_of("household-category.csv"))
    categories = _table(content_of("categories.csv"))
    departments = sorted({line["department"] for line in categories})
    order = np.lexsort((numbers[:, 1], numbers[:, 0]))
    return Spending(
        household=numbers[order, 0].astype(np.int64),
        category=numbers[order, 1].astype(np.int64),
        cents=numbers[order, 2:],
        names=[line["product_category"] for line in categories],
        department=np.array([departments.index(line["department"]) for line in categories]),
        departments=departments,
        income={int(line["household_id"]): line["income"] for line in _table(content_of("households.csv"))},
    )


def slots(data: Spending) -> MatchingLP:
    return _lp(data, data.value, [_category_slots(data)])


def floors(data: Spending) -> MatchingLP:
    least = np.minimum(_FLOOR, np.bincount(data.category, minlength=len(data.names)))
    return _lp(data, data.value, [_category_slots(data, lower=least)])


def money(data: Spending) -> MatchingLP:
    return _lp(data, data.value, [_category_money(data, data.value)])


def recurring(data: Spending, quarter: int) -> MatchingLP:
    value = data.cents[:, quarter - 1] / 100
    return _lp(data, value, [_category_money(data, value)])


def nested(data: Spending) -> MatchingLP:
    category = _category_money(data, data.value)
    budgets = _NESTED_BUDGET * np.bincount(data.department, category.upper)
    department = Rows(
        "department",
        row=data.department[data.category].astype(np.int32),
        coefficient=category.coefficient,
        upper=budgets,
        keys=data.departments,
    )
    total = Rows("total", coefficient=category.coefficient, upper=_NESTED_BUDGET * budgets.sum())
    return _lp(data, data.value, [category, department, total])


def fairness(data: Spending) -> MatchingLP:
    """Row of a group g: value of g / n_g - 0.9 value of all known / n >= 0, in dollars a household."""
    households, source = np.unique(data.household, return_inverse=True)
    group_of = {band: group for group, bands in enumerate(_INCOME_GROUPS) for band in bands}
    bands = [data.income.get(int(household)) for household in households]
    group = np.array([-1 if band is None else group_of[band] for band in bands])
    sizes = np.bincount(group[group >= 0], minlength=len(_INCOME_GROUPS))

    mean = _MEAN_SHARE * (group >= 0) / sizes.sum()
    rows = [_category_slots(data)]
    for number, bands_of_group in enumerate(_INCOME_GROUPS):
        share = (group == number) / sizes[number] - mean
        coefficient = (share[source] * data.value).astype(np.float32)
        rows.append(Rows(f"income {bands_of_group[0]} and up", coefficient=coefficient, lower=0.0))
    return _lp(data, data.value, rows)


def box_cut(coupons: bytes, campaign: int) -> MatchingLP:
    """coupons: campaign-coupons.csv, campaign, household, coupon, cents a line."""
    numbers = numeric(coupons)
    numbers = numbers[numbers[:, 0] == campaign]
    if not numbers.size:
        raise ValueError(f"no coupon of campaign {campaign}")
    keys, row = np.unique(numbers[:, 2].astype(np.int64), return_inverse=True)
    order = np.lexsort((row, numbers[:, 1]))
    _, counts = np.unique(numbers[:, 1], return_counts=True)
    copies = math.ceil(_CAMPAIGN_COUPONS * counts.size / keys.size)
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(counts))),
        c=(-numbers[order, 3] / 100).astype(np.float32),
        polytope=BoxCut(upper=1.0, at_most=float(_CAMPAIGN_COUPONS)),
        rows=[Rows("coupon", row=row[order].astype(np.int32), upper=np.full(keys.size, float(copies)), keys=keys)],
    )


def numeric(content: bytes) -> Float64:
    """The numbers below the line of headings, float64[lines, columns]."""
    return np.loadtxt(io.BytesIO(content), delimiter=",", skiprows=1, ndmin=2)


def _table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def _lp(data: Spending, value: Float64, rows: Sequence[Rows]) -> MatchingLP:
    return MatchingLP(offsets=data.offsets, c=(-value).astype(np.float32), rows=rows)


def _category_slots(data: Spending, **limits: Any) -> Rows:
    slots = float(math.ceil((data.offsets.size - 1) / len(data.names)))
    return _categories(data, upper=np.full(len(data.names), slots), **limits)


def _coupon_cost(value: Float64) -> npt.NDArray[np.float32]:
    return (_COUPON_COST * value).astype(np.float32)


def _category_money(data: Spending, value: Float64) -> Rows:
    cost = _coupon_cost(value)
    in_all = np.bincount(data.category, cost, len(data.names))
    return _categories(data, coefficient=cost, upper=_BUDGET * in_all)


def _categories(data: Spending, **limits: Any) -> Rows:
    return Rows("category", row=data.category.astype(np.int32), keys=data.names, **limits)
