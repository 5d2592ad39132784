"""The page in a browser: what its script hides, filters, sorts and draws, by mouse and keyboard; wide and narrow, dark,
printed, and without the script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import reports
from harness.records import RECORDS_FILE, CaseRecord, Seconds
from tests.support.browser import Browser, browser, executable

NAME = executable()
pytestmark = pytest.mark.skipif(NAME is None, reason="no Chromium here: apt-get install chromium")


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    assert NAME is not None
    with browser(NAME) as opened:
        yield opened


@pytest.fixture
def page(window: Browser, built: reports.Built) -> Browser:
    window.show(built.page)
    return window


def column(page: Browser, table: str, number: int) -> list[str]:
    """The texts of a column without the smaller lines, of the rows below the pinned ones."""
    rows = f'[data-table="{table}"] tbody:not(.pinned) tr'
    parts = f"Array.from(row.cells[{number}].childNodes).filter(part => part.nodeName != 'SMALL')"
    text = f"{parts}.map(part => part.textContent).join('').trim()"
    return list(page.value(f"Array.from(document.querySelectorAll({rows!r}), row => {text})"))


def shown(page: Browser, selector: str) -> int:
    """How many of the elements take up space."""
    return int(page.value(f"Array.from(document.querySelectorAll({selector!r})).filter(e => e.offsetParent).length"))


def change(page: Browser, element: str, value: str) -> None:
    page.value(f"Object.assign({element}, {{value: '{value}'}}).dispatchEvent(new Event('change'))")


def type_filter(page: Browser, text: str) -> None:
    page.value("document.querySelector('#controls input[type=search]').focus()")
    page.type_text(text)


def test_a_solver_is_hidden_in_every_table_legend_and_figure(page: Browser) -> None:
    part = "[...document.querySelectorAll('.s0')].filter(e => getComputedStyle(e).display != 'none').length"
    assert page.value(part) > 50
    page.value("document.querySelector('#controls input[type=checkbox]').click()")
    assert page.value(part) == 0
    assert "blockpdhg" not in column(page, "runs", 1)
    assert shown(page, '[data-table="matrix-1e-4"] thead th') == 7


def test_one_gap_is_shown_at_a_time_or_all(page: Browser) -> None:
    assert shown(page, "#answer figure") == 1
    gap = "document.querySelector('#controls select')"
    change(page, gap, "1e-2")
    assert "1e-2" in page.value("document.querySelector('#answer').innerText.match(/To (1e-.)/)[1]")
    change(page, gap, "all")
    assert shown(page, "#answer figure") == 3


def test_words_leave_the_rows_and_figures_of_the_instances_that_they_name(page: Browser) -> None:
    type_filter(page, "unit 100000")
    assert column(page, "matrix-1e-4", 0) == ["unit-100000x1000"]
    assert set(column(page, "runs", 0)) == {"unit-100000x1000"}
    assert shown(page, "#accuracy .panel") == 1
    assert page.value("document.querySelector('.pinned').rows.length") == 2
    assert [line.partition(" | ")[0] for line in brief_of(page)] == ["unit-100000x1000"]


def test_a_filter_that_leaves_nothing_says_so(page: Browser) -> None:
    type_filter(page, "nowhere")
    assert "No row matches" in page.value("document.querySelector('#answer').innerText")


def test_a_head_sorts_upwards_downwards_and_back_by_keyboard(page: Browser) -> None:
    """Times that are missing come last either way; rows about all instances stay on top."""
    before = column(page, "matrix-1e-4", 2)
    head = "document.querySelector('[data-table=\"matrix-1e-4\"] thead th:nth-child(3)')"
    page.value(f"{head}.querySelector('button').focus()")
    orders = []
    for _ in range(3):
        page.press("Enter", "\r")
        orders.append((page.value(f"{head}.ariaSort"), column(page, "matrix-1e-4", 2)))
    numbers = sorted(float(re.sub("[^0-9.]", "", text)) for text in before)
    assert [float(re.sub("[^0-9.]", "", text)) for text in orders[0][1]] == numbers
    assert orders == [("ascending", orders[0][1]), ("descending", orders[0][1][::-1]), (None, before)]
    assert page.value("document.querySelector('.pinned tr').innerText").startswith("scaled mean")


def test_every_control_is_reached_by_the_tab_key(page: Browser) -> None:
    page.value("document.querySelector('#controls summary').focus()")
    reached = []
    for _ in range(3):
        page.press("Tab")
        reached.append(page.value("document.activeElement.nodeName + document.activeElement.type"))
    assert reached == ["SELECTselect-one", "INPUTsearch", "INPUTcheckbox"]
    page.press(" ", " ")
    assert page.value("document.activeElement.checked") is False


def test_the_figure_with_chosen_axes_draws_what_reached_the_gap(page: Browser) -> None:
    marks = "document.querySelectorAll('.plot .mark').length"
    reached = page.value(marks)
    assert 0 < reached <= 36
    axes = "document.querySelectorAll('.axes select')"
    change(page, f"{axes}[0]", "iterations")
    change(page, f"{axes}[1]", "end to end")
    assert page.value(marks) == reached
    assert page.value("document.querySelector('.plot').textContent").count("iterations") == 1
    change(page, "document.querySelector('#controls select')", "all")
    assert page.value(marks) > reached


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("script", [True, False])
def test_the_first_screen_holds_the_answer_and_the_matrix_and_nothing_scrolls_sideways(
    window: Browser, built: reports.Built, width: int, *, script: bool
) -> None:
    height = 844 if width == 390 else 900
    window.show(built.page, width=width, height=height, script=script)
    window.value("document.querySelectorAll('section').forEach(part => part.style.contentVisibility = 'visible')")
    assert window.value("document.documentElement.scrollWidth") <= width
    bottom = "document.querySelector({!r}).getBoundingClientRect().bottom".format
    assert window.value(bottom("#answer .lead")) < height / 2 + 50
    answer = ".brief li:nth-child(3)" if width == 390 else "tbody:not(.pinned) tr:first-child"
    assert window.value(bottom(f"#answer {answer}")) < height


def test_without_the_script_every_table_and_figure_is_there(window: Browser, built: reports.Built) -> None:
    window.show(built.page, script=False)
    assert shown(window, "#controls, .sort, .plot") == 0
    count = "document.querySelectorAll({!r}).length".format
    for parts in ("figure", "tbody tr"):
        assert window.value(count(f"main {parts}")) == shown(window, f"main {parts}") > 20


def test_the_page_is_dark_where_the_reader_wants_it(window: Browser, built: reports.Built) -> None:
    colour = "getComputedStyle(document.{}).{}".format
    colours = []
    for dark in (False, True):
        window.show(built.page, dark=dark)
        page, ink = colour("body", "backgroundColor"), colour("querySelector('#answer td')", "color")
        colours.append(window.value(f"{page} + {ink}"))
    assert colours == ["rgb(255, 255, 255)rgb(27, 31, 36)", "rgb(20, 23, 27)rgb(232, 234, 237)"]


def test_the_page_prints(page: Browser) -> None:
    page.call("Emulation.setEmulatedMedia", media="print")
    assert shown(page, "#controls, nav, .files") == 0
    assert shown(page, "#answer td") > 20
    for width in (718, 1032):  # of A4 upright and across, without its margins
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        assert page.value("document.documentElement.scrollWidth") == width
    assert page.pdf().count(b"/Type /Page\n") > 3


def test_nothing_is_asked_of_a_network(page: Browser) -> None:
    assert page.value("performance.getEntriesByType('resource').length") == 0


def matrix_of(page: Browser) -> dict[str, list[str]]:
    """Texts and shades of each solver's column in the shown table of the answer, by its head; the means on top."""
    script = """(() => {
      const rows = [...document.querySelectorAll('[data-table="matrix-1e-4"] tr')].map(row => [...row.cells]);
      const told = cell => cell.innerText.trim() + (cell.classList.contains('best') ? ' set off' : '');
      const below = k => rows.slice(1).filter(row => row[k].offsetParent).map(row => told(row[k]));
      return Object.fromEntries(rows[0].map((head, k) => [head.innerText.trim(), below(k)]));
    })()"""
    found: dict[str, list[str]] = page.value(script)
    return {solver: texts for solver, texts in found.items() if texts and solver not in ("instance", "edges")}


def answer_of(page: Browser) -> str:
    return str(page.value("document.querySelector('[data-table=\"matrix-1e-4\"] .lead').innerText"))


def wins_of(page: Browser) -> list[str]:
    """The fastest of each instance at 1e-4, with what that is worth."""
    cells = "document.querySelectorAll('[data-table=\"winners\"] tbody td:nth-child(3)')"
    return list(
        page.value(f"[...{cells}].map(cell => cell.className + ' ' + cell.innerText.replace(/\\s+/g, ' ').trim())")
    )


def brief_of(page: Browser) -> list[str]:
    """The lines for narrow screens: instance, fastest, what that is worth, and the others."""
    lines = "[...document.querySelectorAll('[data-table=\"matrix-1e-4\"] .brief li')]"
    parts = "[...line.childNodes].map(part => part.textContent.trim()).filter(text => text).join(' | ')"
    return list(page.value(f"{lines}.map(line => {parts})"))


def without_prepare(text: str) -> str:
    """What the script says of a solver: prepare and the best gap stand on the page alone."""
    return re.sub(r" \+.*?prepare|, with prepare[^|]*?(?= \||$)| \| best gap[^|]*?(?= \||$)| best gap.*$", "", text)


def hide(page: Browser, solvers: list[str]) -> None:
    for solver in solvers:
        boxes = "[...document.querySelectorAll('#controls label')]"
        page.value(f"{boxes}.find(label => label.innerText.trim() == '{solver}').querySelector('input').click()")


@pytest.mark.parametrize(
    "hidden", [["blockpdhg"], ["blockpdhg", "dualip-restarted"], ["dualip", "ortools-pdlp", "scipy-highs-ds"]]
)
def test_the_answer_is_that_of_the_solvers_shown(
    hidden: list[str], window: Browser, built: reports.Built, suite_records: Path, tmp_path: Path
) -> None:
    """What the script says after solvers were hidden is what a report says that never knew them."""
    kept = [line for line in (suite_records / RECORDS_FILE).read_text().splitlines() if not solver_in(line, hidden)]
    (tmp_path / "fewer").mkdir()
    (tmp_path / "fewer" / RECORDS_FILE).write_text("\n".join(kept) + "\n")
    window.show(reports.build([tmp_path / "fewer"], tmp_path / "report").page)
    expected = (
        matrix_of(window),
        answer_of(window),
        [without_prepare(cell) for cell in wins_of(window)],
        [without_prepare(line) for line in brief_of(window)],
    )

    window.show(built.page)
    before = matrix_of(window), answer_of(window), wins_of(window), brief_of(window)
    hide(window, hidden)
    assert matrix_of(window) == expected[0]
    assert answer_of(window) == f"{expected[1]} (Of the solvers shown.)"
    assert brief_of(window) == expected[3]
    assert wins_of(window) == expected[2]
    hide(window, hidden)
    assert (matrix_of(window), answer_of(window), wins_of(window), brief_of(window)) == before


def solver_in(line: str, solvers: list[str]) -> bool:
    return json.loads(line).get("solver") in solvers


def test_what_a_shorter_time_limit_leaves_open_stays_open_while_its_solver_is_shown(
    window: Browser, write_records: Callable[..., Path], make_case: Callable[..., CaseRecord], tmp_path: Path
) -> None:
    def case(solver: str, seconds: float, limit: float, status: str = "solved") -> CaseRecord:
        settings = {**make_case().settings, "time_limit": limit}
        certificate = make_case().certificate if status == "solved" else None
        return make_case(
            solver=solver, status=status, settings=settings, certificate=certificate, seconds=Seconds(run=seconds)
        )

    rows = [case("a", 35.0, 60.0), case("b", 50.0, 60.0)]
    rows += [case(name, 20.0, 20.0, "time_limit") for name in ("c", "d")]
    window.show(reports.build([write_records(*rows)], tmp_path / "report").page)
    told = answer_of(window)
    assert "the fastest on 1 was given, and needed, more time" in told
    hide(window, ["d"])
    assert answer_of(window) == told.replace("4 solvers", "3 solvers") + " (Of the solvers shown.)"
    assert "then b 50.0" in brief_of(window)[0]
    assert "c had less time: not comparable" in brief_of(window)[0]
    hide(window, ["c"])
    assert "a is fastest on 1 of 1 instance" in answer_of(window)
