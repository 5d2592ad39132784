"""MovieLens latest-small: which user gets which film, 610 users, 9,724 films, 100,836 ratings.

Maximise the sum of the ratings of the films given out (c = -rating); every user gets at most one film, every film goes
to at most `capacity` users (a = 1, b = capacity). With capacity 1 the budgets bind.

Workload: recommending from a stock of single copies, by tastes of real people: most films have few ratings, a few have
hundreds, and the values are the ten steps of a scale, so that many are equal.

F. Maxwell Harper and Joseph A. Konstan, The MovieLens Datasets, ACM TiiS 5(4), 2015; licence beside the data.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from importlib import resources
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from instances.matching import MatchingLP
from instances.polytopes.simplex import Simplex
from instances.spec import require_whole, split_text, to_int

_RATINGS = "ml-latest-small-ratings.csv.gz"  # userId,movieId,rating of the original ratings.csv


@dataclass(frozen=True, kw_only=True)
class MovieLensSpec:
    """The MovieLens instance; `capacity` users at most get the same film."""

    scheme: ClassVar[str] = "movielens"
    family: ClassVar[str] = "movielens"
    sources: ClassVar[int] = 610
    destinations: ClassVar[int] = 9_724
    expected_edges: ClassVar[int] = 100_836

    capacity: int = 1

    def __post_init__(self) -> None:
        require_whole("capacity", self.capacity, least=1, most=self.expected_edges)

    @property
    def text(self) -> str:
        return f"movielens:capacity={self.capacity}"

    @property
    def identity(self) -> str:
        return f"{self.text};ml-latest-small"

    @property
    def nbytes(self) -> int:
        return 8 * (self.sources + 1 + self.destinations) + 12 * self.expected_edges

    @classmethod
    def parse(cls, text: str) -> MovieLensSpec:
        """From "movielens" or "movielens:capacity=K"."""
        _, values = split_text(text, ("capacity",))
        return cls(capacity=to_int("capacity", values.get("capacity", "1")))

    def read(self) -> MatchingLP:
        user, film, rating = _ratings()
        _, degree = np.unique(user, return_counts=True)
        films, destination = np.unique(film, return_inverse=True)
        order = np.lexsort((destination, user))
        return MatchingLP(
            offsets=np.concatenate(([0], np.cumsum(degree))),
            destination=destination[order].astype(np.int32),
            a=np.ones(user.size, dtype=np.float32),
            c=-rating[order].astype(np.float32),
            b=np.full(films.size, float(self.capacity)),
            polytope=Simplex(),
        )


def _ratings() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """User, film and rating of each line of the file."""
    with resources.files("instances").joinpath("data", _RATINGS).open("rb") as packed, gzip.open(packed) as lines:
        user, film, rating = np.loadtxt(lines, delimiter=",", skiprows=1, unpack=True)
    return user, film, rating


READER = MovieLensSpec
