"""The page of a report: one file that a browser shows by itself, with every number explained."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import reports
from harness.records import CaseRecord, Seconds
from reports import definitions
from reports.definitions import DEFINITIONS, STATUSES
from reports.shown import factor
from solvers.base import Status
from tests.support.page import EMBEDDED, Reader, read_page

Make = Callable[..., CaseRecord]
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def page(built: reports.Built) -> Reader:
    return read_page(built)


def test_the_page_says_what_an_instance_is(write_records: Write, make_case: Make, tmp_path: Path) -> None:
    families = "item: 2 rows, each edge in one of them. total: 1 row, all edges in it"
    form = {"families": families, "row_kinds": "several families, soft rows", "polytopes": "5 BOX", "tightness": ""}
    text = read_page(reports.build([write_records(make_case(instance_form=form))], tmp_path / "out")).text
    for part in ("several families, soft rows", "total: 1 row, all edges in it", "5 BOX", "all took it"):
        assert part in text


def test_the_same_records_give_the_same_bytes(suite_records: Path, built: reports.Built, tmp_path: Path) -> None:
    again = reports.build([suite_records], tmp_path)
    assert [path.relative_to(tmp_path) for path in again.files] == [
        path.relative_to(built.page.parent) for path in built.files
    ]
    for one, two in zip(built.files, again.files, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


def test_what_is_written_is_what_is_listed_and_nothing_else(built: reports.Built) -> None:
    folder = built.page.parent
    assert {path for path in folder.rglob("*") if path.is_file()} == set(built.files)
    assert {path.relative_to(folder).parts[0] for path in built.files} == {
        "report.html",
        "report.md",
        "figures",
        "tables",
    }


def test_the_page_stands_alone(built: reports.Built, page: Reader) -> None:
    assert page.tags.count("script") == 2  # its data, and the script that shows them
    assert "src" not in page.attributes
    assert not EMBEDDED & set(page.tags)
    folder = built.page.parent
    written = {path.relative_to(folder).as_posix() for path in built.files}
    assert {link for link in page.links if not link.startswith("#")} <= written
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert not re.findall(r"@import|url\((?!#)", built.page.read_text())


def test_the_answer_comes_first(built: reports.Built, page: Reader) -> None:
    told = ("216 cases", "To 1e-4: blockpdhg is", "scaled mean", "Fastest solver by", "Time to each certified gap")
    order = [page.text.index(words) for words in told]
    assert order == sorted(order)
    assert "144 of 204 tried (70.6 %) solved and certified; the referee refuted 4 claims; 12 skipped." in page.text
    assert "tolerances 1e-2, 1e-4 and 1e-6, 2 repeats, time limit 60 s." in page.text
    winners = pd.read_csv(built.page.parent / "tables" / "winners.csv").query("target == 1e-4")
    least, most = (factor(value) for value in (winners["factor"].min(), winners["factor"].max()))
    assert f"To 1e-4: blockpdhg is fastest on 6 of 6 instances, {least} to {most} faster than" in page.text


def test_every_figure_is_there_as_svg_and_png_and_follows_light_and_dark(built: reports.Built) -> None:
    figures = [path for path in built.files if path.parent.name == "figures"]
    assert {path.stem for path in figures if path.suffix == ".svg"} == {
        path.stem for path in figures if path.suffix == ".png"
    }
    stems = {path.stem for path in figures}
    assert stems >= {"time-by-instance-1e-2", "time-by-size-unit-1e-4", "profile-1e-6"}
    for path in figures:
        if path.suffix == ".svg":
            ET.fromstring(path.read_text())  # noqa: S314  # our own file
            assert "prefers-color-scheme:dark" in path.read_text()
            assert "currentColor" in path.read_text()


def test_figures_of_a_section_share_a_legend_on_the_page_and_carry_their_own_in_a_file(built: reports.Built) -> None:
    text = built.page.read_text()
    drawn = re.findall(r'<section id="(?:times|accuracy|progress|success|end-to-end)"', text)
    assert text.count('class="key"') == len(drawn) == 5
    assert "legend_1" not in text
    for path in built.files:
        if path.suffix == ".svg":
            assert "legend_1" in path.read_text()


def test_families_of_several_sizes_have_a_panel_each_beside_that_of_all_instances(built: reports.Built) -> None:
    names = {path.stem.removesuffix("-1e-4") for path in built.files if re.match("time-by.*-1e-4$", path.stem)}
    dualip = "time-by-size-dualip-100-sources-a-destination"  # the third one has more sources a destination: no curve
    assert {name.removesuffix("-cac719") for name in names} == {dualip, "time-by-size-unit", "time-by-instance"}


def test_tables_hold_full_precision(built: reports.Built) -> None:
    winners = pd.read_csv(built.page.parent / "tables" / "winners.csv")
    assert (winners["factor"] - winners["runner_up_seconds"] / winners["seconds"]).abs().max() < 1e-9
    assert len(pd.read_csv(built.page.parent / "tables" / "cases.csv")) == 216


def test_the_page_says_how_to_make_it_again_and_what_its_words_mean(page: Reader) -> None:
    for words in (
        "dualbench run fixture --out results",
        "Fixture CPU 3 GHz",
        "numpy 2.4.6",
        "mean over 5 common, shift 0.01 s",
        "Penalty",
    ):
        assert words in page.text
    for status in Status:
        assert f"Status “{status.value.replace('_', ' ')}”" in page.text
        assert " ".join(STATUSES[status.value].split()) in page.text


def test_our_words_for_statuses_cover_the_contract() -> None:
    assert set(STATUSES) == {status.value for status in Status}


def test_mixed_machines_are_said_at_the_top(
    write_records: Write, make_case: Make, environment: dict[str, Any], tmp_path: Path
) -> None:
    other = environment | {"id": "env-2", "cpu": "Another CPU"}
    folder = write_records(make_case(), make_case(solver="dualip", environment="env-2"), rows=(environment, other))
    page = read_page(reports.build([folder], tmp_path / "out"))
    assert "These cases come from 2 machines (A and B)" in page.text
    assert page.text.index("These cases come from") < page.text.index("Fastest solver")


def test_disturbed_cases_are_marked_counted_and_explained(
    write_records: Write, make_case: Make, tmp_path: Path
) -> None:
    disturbed = make_case(disturbed="5000 pages were swapped", disturbance={"swapped": 5000, "other_load": 0.25})
    built = reports.build([write_records(disturbed, make_case(solver="dualip"))], tmp_path / "report")
    text = read_page(built).text
    assert text.index("1 of 2 cases disturbed, marked ~") < text.index("Fastest solver")
    assert "0.500~" in text
    assert "--rerun-disturbed" in text
    table = pd.read_csv(built.page.parent / "tables" / "cases.csv").set_index("solver")
    assert table.loc["blockpdhg", ["disturbed", "swapped", "other_load"]].tolist() == [
        "5000 pages were swapped",
        5000,
        0.25,
    ]


def test_points_that_are_not_known_to_be_feasible_are_said_so_at_the_top_and_at_their_time(
    write_records: Write, make_case: Make, tmp_path: Path
) -> None:
    near = {"certified_gap": None, "dual_bound": -1.0, "priced_gap": 2e-5, "row_violation": 3e-5}
    cases = (make_case(certificate=near), make_case(solver="dualip"))
    text = read_page(reports.build([write_records(*cases)], tmp_path / "report")).text
    assert "2 of 2 tried (100 %) solved and certified, 1 of them within tolerance, not feasible;" in text
    assert text.count("within tolerance, not feasible") >= 3


def test_every_table_is_one_click_from_its_file(built: reports.Built, page: Reader) -> None:
    tables = {f"tables/{path.name}" for path in built.files if path.suffix == ".csv"} - {"tables/cases.csv"}
    assert tables <= set(page.links)
    assert page.tags.count("figcaption") == page.tags.count("table") == len(tables)


def test_the_matrix_scales_means_to_the_fastest_and_sets_off_nobody_by_name(
    write_records: Write, make_case: Make, certificate: Callable[[float | None], dict[str, Any]], tmp_path: Path
) -> None:
    """Twice as fast on two instances and never asked on the third: means over the two, of the rival's own shade."""
    names = ("a", "b")
    slow = [make_case(instance=name, spec_hash=name, seconds=Seconds(run=8.0)) for name in names]
    fast = [make_case(instance=name, spec_hash=name, solver="mine", seconds=Seconds(run=4.0)) for name in names]
    missed = make_case(instance="c", spec_hash="c", solver="mine", status="time_limit", certificate=certificate(0.5))
    built = reports.build([write_records(*slow, *fast, missed)], tmp_path / "report")
    page = built.page.read_text()
    text = read_page(built).text
    assert "<b>" not in page
    assert "scaled mean of 2 in common 1.00 4.00 s 2.00 8.00 s solved 2 of 3 2 of 2" in text
    assert "a 100k 4.00 8.00 b 100k 4.00 8.00 c 100k missed" in text
    assert len(re.findall(r'class="number best s.">\s*4.00', page)) == 4  # in the matrix and in the table of times
    assert not re.findall(r'class="number best s.">\s*8.00', page)


def test_every_run_shows_objective_bound_iterations_and_all_of_its_seconds(
    write_records: Write, make_case: Make, tmp_path: Path
) -> None:
    seconds = Seconds(warm_up=3.0, generate=1.0, prepare=0.5, run=2.0, referee=0.25)
    built = reports.build([write_records(make_case(seconds=seconds))], tmp_path / "report")
    assert "5.00e-5 -99.995 -100 40 1.00 3.00 0.500 2.00 0.250 6.75 1" in read_page(built).text
    table = pd.read_csv(built.page.parent / "tables" / "runs.csv")
    assert table.loc[0, ["warm_up", "end_to_end", "iterations", "dual_bound"]].tolist() == [3.0, 6.75, 40, -100.0]


def test_definitions_stand_once_and_sections_point_to_them(page: Reader) -> None:
    for name, text in DEFINITIONS:
        assert page.text.count(" ".join(text.split())) == 1, name
    for name in (definitions.TIME, definitions.WIN, definitions.SUCCESS, definitions.MEAN, definitions.PROFILE):
        assert page.text.count(name) >= 2, name


def test_one_solver_alone_gets_no_factor_no_profile_and_no_figure_of_a_single_point(
    write_records: Write, make_case: Make, tmp_path: Path
) -> None:
    built = reports.build([write_records(make_case())], tmp_path / "report")
    text = read_page(built).text
    assert "To 1e-4: blockpdhg, the only solver asked, on 1 of 1 instance." in text
    assert "faster than" not in text
    assert [path.stem for path in built.files if path.suffix == ".png"] == ["time-by-instance-1e-4"]
