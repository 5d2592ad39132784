"""What a report reads: cases from records and benchmark files, each counted once, what is unreadable named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.records import RECORDS_FILE, CaseRecord, Seconds
from instances.errors import InputError
from reports.load import load

Make = Callable[..., CaseRecord]
Write = Callable[..., Path]


def benchmark_file(path: Path, benchmarks: list[dict[str, Any]], environment: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"machine_info": {"dualbench": environment}, "benchmarks": benchmarks}))
    return path


def plain(folder: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (folder / RECORDS_FILE).read_text().splitlines()]
    return [row for row in rows if row["kind"] == "case"]


def test_a_torn_line_is_a_warning_that_names_the_input_by_position(write_records: Write, make_case: Make) -> None:
    folder = write_records(make_case())
    with (folder / RECORDS_FILE).open("a") as file:
        file.write('{"schema":1,"kind":"case","inst')
    loaded = load([folder])
    assert len(loaded.cases) == 1
    assert loaded.warnings == ["input 1 (results): line 4 is not a whole JSON object and was left out"]


def test_every_round_of_a_benchmark_is_a_case_with_its_own_run_time(
    write_records: Write, make_case: Make, environment: dict[str, Any], tmp_path: Path
) -> None:
    record = plain(write_records(make_case(seconds=Seconds(prepare=0.2, run=None))))[0]
    benchmarks = [
        {"name": "a", "extra_info": {"record": record}, "stats": {"rounds": 2, "median": 2.0, "data": [1.0, 3.0]}},
        {"name": "b", "extra_info": {"record": record | {"solver": "dualip"}}, "stats": {"rounds": 1, "median": 5.0}},
        {"name": "kernel", "extra_info": {}, "stats": {"median": 1.0}},
    ]
    loaded = load([benchmark_file(tmp_path / "out.json", benchmarks, environment)])
    assert loaded.cases[["solver", "repeat", "run", "prepare"]].to_numpy().tolist() == [
        ["blockpdhg", 0.0, 1.0, 0.2],
        ["blockpdhg", 1.0, 3.0, 0.2],
        ["dualip", 0.0, 5.0, 0.2],
    ]
    assert loaded.environments[0]["cpu"] == environment["cpu"]
    assert loaded.warnings == ["input 1 (out.json): 1 benchmarks carry no case and were left out"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"machine_info": {}}'])
def test_an_incomplete_benchmark_file_is_refused_with_a_remedy(tmp_path: Path, content: str) -> None:
    path = tmp_path / "out.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"out\.json is not a complete .* give the records"):
        load([path])


def test_inputs_without_a_case_are_refused(write_records: Write, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no case in .*results"):
        load([write_records()])
    with pytest.raises(InputError, match="no records at"):
        load([tmp_path / "nowhere"])


def test_a_case_read_from_two_files_counts_once(write_records: Write, make_case: Make) -> None:
    case = make_case(time="2026-01-01T00:00:00Z")
    loaded = load([write_records(case, name="a"), write_records(case, make_case(repeat=1, time="later"), name="b")])
    assert loaded.cases["repeat"].tolist() == [0.0, 1.0]
    assert loaded.warnings == ["1 rows that came twice (each counts once) were left out"]


def test_a_row_without_a_solver_is_left_out_and_said(write_records: Write, make_case: Make) -> None:
    loaded = load([write_records(make_case(), make_case(solver=""))])
    assert len(loaded.cases) == 1
    assert loaded.warnings == ["1 rows without instance, solver or status were left out"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"edges": "many"}, 'edges is "many", expected a whole number or null'),
        ({"settings": ["x"]}, 'settings is ["x"], expected an object'),
        ({"settings": {}}, "settings.tolerance is null, expected a number"),
        ({"certificate": {"certified_gap": "small"}}, 'certificate.certified_gap is "small", expected a number'),
        ({"peak_memory": 3}, "peak_memory is 3, expected names with numbers"),
    ],
)
def test_a_row_with_a_value_of_a_wrong_type_is_left_out_and_said(
    write_records: Write, make_case: Make, change: dict[str, Any], words: str
) -> None:
    folder = write_records(make_case(), make_case(repeat=1))
    last = plain(folder)[-1] | change
    lines = (folder / RECORDS_FILE).read_text().splitlines()
    (folder / RECORDS_FILE).write_text("\n".join([*lines[:-1], json.dumps(last)]))
    loaded = load([folder])
    assert loaded.cases["repeat"].tolist() == [0.0]
    (warning,) = loaded.warnings
    assert "line 4 is no row and was left out: " in warning
    assert words in warning


def test_cases_that_differ_in_a_setting_are_not_one_competitor(write_records: Write, make_case: Make) -> None:
    settings = make_case().settings
    cases = load(
        [
            write_records(
                make_case(),
                make_case(settings={**settings, "device": "cuda", "options": {"restart": True}}),
                make_case(solver="dualip"),
            )
        ]
    ).cases
    assert cases["competitor"].tolist() == [
        "blockpdhg · default options · cpu",
        "blockpdhg · restart=true · cuda",
        "dualip",
    ]


def test_competitors_carry_their_machine_where_there_are_several(
    write_records: Write, make_case: Make, environment: dict[str, Any]
) -> None:
    upgraded = environment | {"id": "env-2", "packages": {"numpy": "3"}}
    other = environment | {"id": "env-3", "gpu": "Fixture GPU"}
    cases = [make_case(environment=f"env-{n}", repeat=n) for n in (1, 2, 3)]
    one = load([write_records(*cases[:2], rows=(environment, upgraded), name="one")])
    assert set(one.cases["competitor"]) == {"blockpdhg"}
    two = load([write_records(*cases, rows=(environment, upgraded, other), name="two")])
    assert two.cases["competitor"].tolist() == [f"blockpdhg · machine {letter}" for letter in "BBA"]
    assert [row["machine"] for row in two.environments] == ["B", "B", "A"]


def test_one_name_for_two_specs_is_two_instances_in_the_order_of_their_size(
    write_records: Write, make_case: Make
) -> None:
    large = make_case(spec_hash="bbbbbbbb", edges=2_000_000)
    small = make_case(spec_hash="aaaaaaaa")
    cases = load([write_records(large, name="large"), write_records(small, name="small")]).cases
    assert list(cases["instance"].cat.categories) == ["dualip-1e5 (aaaaaa)", "dualip-1e5 (bbbbbb)"]


def test_data_that_were_replaced_between_two_runs_of_a_case_count_as_they_are_now(
    write_records: Write, make_case: Make
) -> None:
    cases = load([write_records(make_case(spec_hash="old"), make_case(spec_hash="new"))]).cases
    assert cases["spec_hash"].tolist() == ["new"]


def test_one_content_is_one_instance_whatever_its_rows_call_it(write_records: Write, make_case: Make) -> None:
    """A row without a content hash, of an older version, belongs to the one content of its spec."""
    rows = [
        make_case(case="a", instance="parquet:path=/far/away", spec_hash="s", content_hash="c" * 64),
        make_case(case="b", instance="parquet:path=d", spec_hash="s", content_hash=None),
        make_case(case="c", instance="parquet:path=d", spec_hash="t", content_hash="d" * 64),
    ]
    cases = load([write_records(*rows)]).cases
    assert cases["instance"].tolist() == ["parquet:path=d (cccccc)"] * 2 + ["parquet:path=d (dddddd)"]


def test_lines_with_the_same_fault_are_one_warning(write_records: Write, make_case: Make) -> None:
    loaded = load([write_records(make_case(), rows=({"a": 1}, {"a": 2}, {"a": 3}))])
    assert loaded.warnings == ["input 1 (results): line 1 has no schema number and was left out, and 2 more like it"]
