"""Named instances: short names for the specs that suites and readers refer to."""

from __future__ import annotations

_FAMILIES = ("dualip", "dualip-v5", "independent", "uniform", "unit")
#: Whole workloads: several families of rows, floors, prices, or sources and rows that need not be short of anything.
_WORKLOADS = (
    "slots",
    "volume",
    "delivery",
    "pacing",
    "exposure",
    "coupons",
    "adwords",
    "transport",
    "paths",
    "reviewers",
)

#: Sources and destinations of the ladder: I/J = 2500, as in the literature's 25,000,000 x 10,000, degree 10, seed 42.
#: The last rung has 10^12 cells like the one before it, but 10^9 edges.
_LADDER = {
    "100k": (100_000, 40),
    "250k": (250_000, 100),
    "1m": (1_000_000, 400),
    "2.5m": (2_500_000, 1_000),
    "10m": (10_000_000, 4_000),
    "25m": (25_000_000, 10_000),
    "50m": (50_000_000, 20_000),
    "100m": (100_000_000, 10_000),
}

#: Real data, each on files that are shipped. The suite `real` has those that every solver can be expected to finish.
_REAL = {
    **{f"gap-{name}": f"gap:file={name}" for name in ("d05100", "c10400", "e10400", "d20400", "e40400")},
    "dotmark-8": "dotmark:pair=1001-1002,size=8,cost=squared",
    "dotmark-16": "dotmark:pair=1001-1002,size=16,cost=squared",
    "dotmark-32": "dotmark:pair=1001-1002,size=32,cost=squared",
    "dotmark-32-euclid": "dotmark:pair=1001-1002,size=32,cost=euclid",
    **{f"journey-{lp}": f"journey:lp={lp}" for lp in ("slots", "money", "nested", "floors", "fairness")},
    **{f"journey-campaign-{number}": f"journey:lp=box-cut,campaign={number}" for number in (8, 13, 18, 27)},
    **{f"journey-quarter-{number}": f"journey:lp=recurring,quarter={number}" for number in (1, 2, 3, 4)},
    "lalonde": "lalonde:neighbours=50",
    "lalonde-200": "lalonde:neighbours=200",
    "open-bandit": "open-bandit:impressions=2000",
    "topology-cogentco": "topology:network=Cogentco,pairs=6000",
    "topology-uscarrier": "topology:network=UsCarrier,pairs=6000",
}


def named_instances() -> dict[str, str]:
    """Spec text by name: MovieLens and other real data, a tiny, a small and a 100,000 x 1,000 one of each family, some
    with 1e7 edges and many rows, and the ladder.
    """
    return {
        "movielens": "movielens:capacity=1",
        **_REAL,
        **{f"{family}-5k": _text(family, 5_000, 50) for family in (*_FAMILIES, *_WORKLOADS)},
        **{f"{family}-20k": _text(family, 20_000, 200) for family in (*_FAMILIES, *_WORKLOADS)},
        **{f"{family}-100k": _text(family, 100_000, 1_000) for family in (*_FAMILIES, *_WORKLOADS)},
        **{f"{family}-1m": _text(family, 1_000_000, 10_000) for family in ("dualip", "slots", "volume", "pacing")},
        **{f"ladder-{rung}": _text("dualip", *size) for rung, size in _LADDER.items()},
    }


def _text(family: str, sources: int, destinations: int) -> str:
    degree = 4 if family == "paths" else 10  # what traffic engineering precomputes for a demand
    return f"{family}:sources={sources},destinations={destinations},degree={degree},seed=42"
