"""A site of many runs: every page is reached by links from its index, and says who wins, loses and changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import reports
from harness.about import about_family, about_solver
from harness.records import RECORDS_FILE, CaseRecord, InputError, Seconds, append

Make = Callable[..., CaseRecord]
Write = Callable[..., Path]
Topics = Sequence[tuple[str, str]]
LATER = "2026-02-02T00:00:00Z"


def about(name: str) -> Topics:
    return [("title", f"what {name} is"), ("cite", f"who wrote {name}"), ("edges", "10 a source")]


def text_of(page: Path) -> str:
    shown = page.read_text().partition("<script")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", shown)).split())


@pytest.fixture(scope="module")
def site(make_case: Make, environment: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs on like hardware, the second of another commit: there `mine` is twice as fast as it was, and wins."""
    there = {"environment": "env-2", "time": LATER}
    first = [make_case(solver=name, seconds=Seconds(run=run)) for name, run in (("mine", 8.0), ("dualip", 1.0))]
    second = [make_case(solver="mine", seconds=Seconds(run=4.0), **there), make_case(seconds=Seconds(run=9.0), **there)]
    folder = tmp_path_factory.mktemp("site")
    for name, rows in {
        "first": [environment, *first],
        "second": [environment | {"id": "env-2", "commit": "ffffffff"}, *second],
    }.items():
        (folder / name).mkdir()
        for row in rows:
            append(folder / name / RECORDS_FILE, row)
    return reports.build_site([folder / "first", folder / "second"], folder / "site", about, about).page.parent


def test_every_page_is_reached_from_the_index_without_a_network(site: Path) -> None:
    pages, waiting = set(), [site / "index.html"]
    while waiting:
        page = waiting.pop()
        pages.add(page)
        links = re.findall(r'(?:href|src)="([^"]*)"', page.read_text())
        targets = {(page.parent / link).resolve() for link in links if not link.startswith("#")}
        assert all(target.is_file() and target.is_relative_to(site) for target in targets), page
        waiting += [target for target in targets if target.suffix == ".html" and target not in pages | set(waiting)]
    assert pages == set(site.rglob("*.html"))
    below = {page.relative_to(site).as_posix() for page in pages}
    assert {"runs/first/report.html", "families/dualip/index.html", "solvers/mine/index.html"} <= below
    assert "history/index.html" in below


def test_a_family_says_what_it_stands_for_and_how_to_compare(site: Path) -> None:
    text = text_of(site / "families/dualip/index.html")
    assert "what dualip is" in text
    assert "edges 10 a source" in text
    assert "dualbench instances SPEC" in text
    assert "dualip-1e5 mine first dualip win 1e-4 8.00 limit 60 s 1.00 8.00×" in text


def test_a_solver_says_what_it_takes_and_where_it_wins_and_loses(site: Path) -> None:
    text = text_of(site / "solvers/mine/index.html")
    assert "what mine is who wrote mine" in text
    wins, losses = text.split("Where it wins: 1 of the")[1].split("Where it loses: 1 of the")
    assert "second mine win" in wins
    assert "first dualip win 1e-4 8.00 limit 60 s 1.00 8.00×" in losses


def test_the_history_compares_each_time_with_the_one_before(site: Path) -> None:
    text = text_of(site / "history/index.html")
    assert "mine second 2026-02-02 fffffff 0.1 2.00× faster 1e-4 4.00" in text
    assert "blockpdhg" not in text.partition("From run to run")[2]  # it was measured once
    (figure,) = (site / "history" / "figures").glob("*.svg")
    drawn = figure.read_text()
    assert all(f">{words}<" in drawn for words in ("dualip-1e5", "seconds to gap 1e-4", "first", "02-02", "mine"))


def test_a_variant_faster_than_another_of_its_solver_wins_no_family(
    write_records: Write, make_case: Make, tmp_path: Path
) -> None:
    tuned = [
        make_case(
            case=name, variant=name, settings={**make_case().settings, "options": {"k": run}}, seconds=Seconds(run=run)
        )
        for name, run in (("quick", 1.0), ("slow", 9.0))
    ]
    records = write_records(make_case(seconds=Seconds(run=5.0)), *tuned)
    index = reports.build_site([records], tmp_path / "site", about, about).page
    assert "nobody; 1 with one solver alone to 1e-4 1 measurement" in text_of(index)


def test_a_folder_of_folders_is_one_run(write_records: Write, make_case: Make, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    write_records(make_case(), name="all/one")
    write_records(make_case(solver="dualip"), name="all/two")
    index = reports.build_site([tmp_path / "all"], tmp_path / "site", about, about).page
    assert "1 run of 1 family and 2 solvers" in text_of(index)
    assert (tmp_path / "site" / "runs" / "all" / "report.html").is_file()
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match="nothing holds no records"):
        reports.build_site([tmp_path / "nothing"], tmp_path / "site", about, about)


def test_runs_over_ranks_alone_have_a_page_and_no_history(
    write_records: Write, environment: dict[str, Any], tmp_path: Path
) -> None:
    row = {"schema": 1, "kind": "scaling", "mode": "strong", "spec": "s", "family": "dualip", "sources": 4000}
    row |= {"destinations": 100, "solver": "blockpdhg", "ranks": 2, "status": "crashed", "reason": "rank 1 was killed"}
    folder = write_records(rows=(environment, row | {"settings": {"threads": 1, "device": "cpu"}}))
    site = reports.build_site([folder], tmp_path / "site", about, about).page.parent
    assert "runs over ranks 0 0 0" in text_of(site / "index.html")
    assert "rank 1 was killed" in text_of(site / "runs" / "results" / "report.html")
    assert not (site / "history").exists()


def test_what_is_said_of_families_and_solvers_is_what_they_declare() -> None:
    facts = dict(about_family("unit"))
    assert facts["title"] == "slots: a = 1 and whole budgets, values as in dualip"
    assert facts["a"] == "1 on every edge: a flow problem"
    assert {"edges", "budgets", "a and c", "ties"} <= set(facts)
    assert dict(about_solver("ortools-mincostflow"))["runs on"] == "cpu"
    assert about_family("nobody's") == about_solver("nobody's") == []


def test_real_data_say_what_they_stand_for_and_how_to_compare() -> None:
    facts = dict(about_family("movielens"))
    assert facts["title"].startswith("MovieLens latest-small: which user gets which film")
    assert facts["workload"].startswith("recommending from a stock of single copies")
    assert facts["example"].startswith("movielens,")
    assert facts["a"] == "1 on every edge: a flow problem"
    assert {"edges", "rows", "a and c", "ties", "degeneracy", "budgets"} <= set(facts)
    assert dict(about_family("problem"))["title"].startswith("The LP that a problem.toml states")


def test_the_texts_of_a_base_are_those_of_its_families() -> None:
    made = dict(about_family("unit"))["how it is made"]
    assert made.startswith("a_e = 1")
    assert "b_j follows from rho_j" in made


def test_a_family_says_how_many_measurements_where_and_under_which_limit(
    write_records: Write, make_case: Make, environment: dict[str, Any], tmp_path: Path
) -> None:
    """One instance on two machines: a win on the first, one solver alone on the second."""
    there = environment | {"id": "env-2", "cpu": "Another CPU"}
    rows = [make_case(seconds=Seconds(run=1.0)), make_case(seconds=Seconds(run=9.0), solver="dualip")]
    folder = write_records(*rows, make_case(environment="env-2", case="there"), rows=(environment, there))
    text = text_of(reports.build_site([folder], tmp_path / "site", about, about).page)
    assert "blockpdhg 1; 1 with one solver alone to 1e-4 2 measurements" in text
    assert re.search(r"1 on Another CPU[^;]*, time limit 60 s 1 on Fixture CPU[^;]*, time limit 60 s", text)
