"""A problem over tables is an instance like any other, named by its content."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from instances import SpecError, digest, parse_spec, stored
from instances.errors import ProblemError

TOML = """
minimise = "cost"
[edges]
files = "edges.csv"
source = "user"
destination = "item"
[sources]
equals = 1
[[limits]]
name = "item"
by = "item"
at_most = 1.5
"""


def written(folder: Path, *, reverse: bool = False) -> str:
    folder.mkdir()
    edges = pd.DataFrame({"user": [1, 1, 2, 2], "item": ["x", "y", "x", "y"], "cost": [1.0, 2.0, 3.0, 5.0]})
    (edges[::-1] if reverse else edges).to_csv(folder / "edges.csv", index=False)
    (folder / "problem.toml").write_text(TOML)
    return f"problem:path={folder / 'problem.toml'}"


def test_equal_tables_in_two_places_are_one_instance(tmp_path: Path) -> None:
    here = parse_spec(written(tmp_path / "here"))
    there = parse_spec(written(tmp_path / "there", reverse=True))

    assert here.text != there.text
    assert digest(here) == digest(there)
    assert (here.sources, here.destinations, here.expected_edges) == (2, 2, 4)


def test_another_number_is_another_instance(tmp_path: Path) -> None:
    before = digest(parse_spec(written(tmp_path / "a")))
    (tmp_path / "a" / "edges.csv").write_text("user,item,cost\n1,x,1\n1,y,2\n2,x,3\n2,y,6\n")

    assert digest(parse_spec(f"problem:path={tmp_path / 'a' / 'problem.toml'}")) != before


def test_the_store_keeps_it(tmp_path: Path) -> None:
    spec = parse_spec(written(tmp_path / "a"))

    kept = stored(spec, tmp_path / "cache")

    assert kept.c.tolist() == [1, 2, 3, 5]
    assert (tmp_path / "cache" / digest(spec)).is_dir()


@pytest.mark.parametrize("text", ["problem:", "problem:file=x.toml", "problem:path="])
def test_a_spec_without_a_path_says_how_to_write_it(text: str) -> None:
    with pytest.raises(SpecError, match=r"write problem:path=FILE"):
        parse_spec(text)


def test_a_missing_file_is_refused_before_any_table_is_read(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"cannot be read \(No such file"):
        parse_spec(f"problem:path={tmp_path / 'none.toml'}")
