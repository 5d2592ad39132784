"""MovieLens latest-small as a matching LP."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from instances import MatchingLP, MovieLensSpec, Simplex, digest, generate, parse_spec


@pytest.fixture(scope="module")
def lp() -> MatchingLP:
    return generate(MovieLensSpec())


def test_the_facts_of_its_readme(lp: MatchingLP) -> None:
    assert (lp.sources, lp.destinations, lp.edges) == (610, 9724, 100_836)
    spec = MovieLensSpec()
    assert (spec.sources, spec.destinations, spec.expected_edges) == (lp.sources, lp.destinations, lp.edges)
    assert spec.nbytes == lp.nbytes
    assert lp.degrees().min() == 20  # every user rated at least 20 films


def test_ratings_are_maximised(lp: MatchingLP) -> None:
    assert set(np.unique(-lp.c)) == {0.5 * k for k in range(1, 11)}
    assert np.all(lp.a == 1)
    assert np.all(lp.b == 1)
    assert lp.polytope == Simplex(z=1.0)


def test_first_user_of_the_file(lp: MatchingLP) -> None:
    """User 1 rated films 1, 3, 6 first, 4.0 each; 232 in all."""
    assert lp.degrees()[0] == 232
    assert lp.destination[:3].tolist() == [0, 2, 5]
    assert lp.c[:3].tolist() == [-4.0, -4.0, -4.0]


def test_films_ascend_within_a_user(lp: MatchingLP) -> None:
    assert np.all(np.diff(lp.source_of_edge() * lp.destinations + lp.destination) > 0)


def test_capacity_is_the_budget_and_binds_at_one(lp: MatchingLP) -> None:
    wide = generate(parse_spec("movielens:capacity=610"))
    assert np.all(wide.b == 610)
    best_alone = -np.minimum.reduceat(wide.c, wide.offsets[:-1]).sum(dtype=np.float64)
    rating = np.zeros((lp.sources, lp.destinations))
    rating[lp.source_of_edge(), lp.destination] = -lp.c
    users, films = linear_sum_assignment(rating, maximize=True)
    assert rating[users, films].sum() < best_alone


def test_capacity_is_part_of_the_digest() -> None:
    assert digest(MovieLensSpec(capacity=1)) != digest(MovieLensSpec(capacity=2))
    assert parse_spec("movielens") == MovieLensSpec(capacity=1)


def test_the_licence_lies_beside_the_data() -> None:
    text = resources.files("instances").joinpath("data", "ml-latest-small-README.txt").read_text()
    assert "Usage License" in text
    assert "redistribute the data set" in text
