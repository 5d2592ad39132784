"""Puts the report together and writes it: the answer first, then what it rests on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from harness import records
from reports import outcomes, tables
from reports.built import Built
from reports.canvas import DARK_GRID, DARK_INK, DARK_MUTED, GRID, INK, MUTED, swatch
from reports.choices import page_data
from reports.environments import contradictory, disturbed, machine, mixed, overdrawn, when_measured, where
from reports.load import Loaded
from reports.notes import drifted, few_runs
from reports.palette import Style, css_variables, styles
from reports.section import Material, Section
from reports.sections import SECTIONS, WITHOUT_CASES
from reports.shown import ROWS_SHOWN, count, listed, markdown, percent, plural, power


@dataclass(frozen=True, kw_only=True)
class Page:
    """The whole report; the templates turn it into HTML and Markdown."""

    title: str
    """Its heading."""

    summary: Sequence[str]
    """Three sentences."""

    warnings: Sequence[str]
    """What a reader has to know first."""

    sections: Sequence[Section]
    """In order."""

    styles: Mapping[str, Style] = field(default_factory=dict)
    """How each competitor is drawn."""


def write(loaded: Loaded, out: Path, model_ranks: int | None = None) -> Built:
    page = compose(loaded, model_ranks)
    drawings = [drawing for section in page.sections for drawing in section.drawings]
    shown = [table for section in page.sections for table in section.tables]
    contents: dict[str, bytes] = {
        "report.html": _render("report.html.j2", page).encode(),
        "report.md": _render("report.md.j2", page).encode(),
        **{f"figures/{drawing.name}.svg": drawing.svg.encode() for drawing in drawings},
        **{f"figures/{drawing.name}.png": drawing.png for drawing in drawings},
        **{f"tables/{table.name}.csv": table.csv for table in shown},
        "tables/cases.csv": tables.case_table(loaded.cases),
    }

    if out.exists() and not out.is_dir():
        raise records.InputError(f"--out {out} is a file: give a folder")
    for name, content in contents.items():
        records.write_whole(out / name, content, durable=False)
    return Built(
        page=out / "report.html", files=tuple(out / name for name in contents), warnings=tuple(loaded.warnings)
    )


def compose(loaded: Loaded, model_ranks: int | None = None) -> Page:
    cases = loaded.cases
    if cases.empty:
        return _compose_without_cases(loaded, model_ranks)
    found = outcomes.outcomes(cases)
    solver_of = dict(zip(cases["competitor"], cases["solver"], strict=True))
    looks = {name: replace(look, number=k) for k, (name, look) in enumerate(styles(solver_of).items())}
    material = Material(
        loaded=loaded,
        cases=cases,
        outcomes=found,
        winners=outcomes.winners(found),
        styles=looks,
        instances=tables.instance_cells(cases),
        model_ranks=model_ranks,
    )

    suites = sorted(set(cases["suite"]) - {""})
    return Page(
        title=f"Which solver for my matching LP: {listed(suites)}" if suites else "Which solver for my matching LP",
        summary=_summary(loaded),
        warnings=[
            *contradictory(loaded),
            *drifted(loaded.references),
            *overdrawn(loaded),
            *mixed(loaded),
            *disturbed(loaded),
            *few_runs(found),
            *loaded.warnings,
        ],
        sections=[made for section in SECTIONS if (made := section(material)) is not None],
        styles=looks,
    )


def _compose_without_cases(loaded: Loaded, model_ranks: int | None) -> Page:
    """The page of records that hold runs over ranks, or series of days, alone."""
    nothing = pd.DataFrame()
    material = Material(
        loaded=loaded,
        cases=loaded.cases,
        outcomes=nothing,
        winners=nothing,
        styles={},
        instances={},
        model_ranks=model_ranks,
    )
    machines = {row["machine"]: machine(row) for row in loaded.environments}
    measured = [*loaded.scaling, *loaded.recurring]
    counts = [f"{plural(len(loaded.scaling), 'run')} over ranks."] * bool(loaded.scaling)
    counts += [f"{plural(len(loaded.recurring), 'solve')} in series of days."] * bool(loaded.recurring)
    return Page(
        title="How the solvers scale over ranks" if loaded.scaling else "The same problem day after day",
        summary=[
            *counts,
            f"{when_measured(row.get('time') or '' for row in measured)} on {listed(list(machines.values()))}.",
        ],
        warnings=loaded.warnings,
        sections=[made for section in WITHOUT_CASES if (made := section(material)) is not None],
    )


def _summary(loaded: Loaded) -> list[str]:
    """Three lines: what was asked, how it went, where and when."""
    cases = loaded.cases
    tried = cases[cases["status"] != "skipped"]
    solved = int((tried["status"] == "solved").sum())
    near = int(((tried["status"] == "solved") & tried["near"]).sum())
    wrong = int((tried["status"] == "inaccurate").sum())
    skipped = len(cases) - len(tried)
    return [
        f"{plural(len(cases), 'case')}: {plural(cases['instance'].nunique(), 'instance')} of "
        f"{plural(cases['family'].nunique(), 'family')}, {plural(cases['solver'].nunique(), 'solver')}{_asked(cases)}.",
        f"{count(solved)} of {count(len(tried))} tried ({percent(solved, len(tried))}) solved and certified"
        f"{f', {count(near)} of them within tolerance, not feasible' if near else ''}; "
        f"the referee refuted {plural(wrong, 'claim') if wrong else 'no claim'}"
        f"{f'; {count(skipped)} skipped' if skipped else ''}.",
        where(loaded),
    ]


def _asked(cases: pd.DataFrame) -> str:
    """Tolerances, repeats and time limits, as far as they are known."""
    tolerances = sorted(cases["tolerance"].dropna().unique(), reverse=True)
    repeats = cases.groupby(["instance", "competitor", "tolerance"], observed=True, dropna=False).size()
    fewest = f"{repeats.min()} to " if repeats.min() < repeats.max() else ""
    limits = sorted(cases["time_limit"].dropna().unique())
    facts = [
        f"{'tolerance' if len(tolerances) == 1 else 'tolerances'} {listed([power(value) for value in tolerances])}",
        f"{fewest}{plural(int(repeats.max()), 'repeat')}",
        f"time limit {listed([f'{limit:g}' for limit in limits])} s",
    ]
    known = (bool(tolerances), True, bool(limits))
    return "".join(f", {fact}" for fact, told in zip(facts, known, strict=True) if told)


def _render(template: str, page: Page) -> str:
    is_html = template.startswith("report.html")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=is_html,  # noqa: S701  # Markdown is escaped by finalize
        finalize=None if is_html else markdown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    environment.filters["unbroken"] = _unbroken
    environment.filters["anchor"] = _anchor
    light, dark = css_variables()
    light += f"--ink:{INK};--muted:{MUTED};--grid:{GRID};"
    dark += f"--ink:{DARK_INK};--muted:{DARK_MUTED};--grid:{DARK_GRID};"

    text = environment.get_template(template).render(
        page=page,
        ROWS_SHOWN=ROWS_SHOWN,
        data=Markup(page_data(page.sections, page.styles)) if is_html else "",  # noqa: S704  # escaped there
        light=Markup(light),  # noqa: S704  # our own constants
        dark=Markup(dark),  # noqa: S704  # our own constants
        code=lambda command: command if is_html else Markup(" ".join(command.split())),  # noqa: S704  # a code block
        inline=lambda drawing: Markup(drawing.inline),  # noqa: S704  # matplotlib escaped its texts
        swatch=lambda style: Markup(swatch(style)),  # noqa: S704  # numbers alone
    )
    return text.rstrip() + "\n"


def _anchor(term: str) -> str:
    """The identifier of a definition on the page."""
    return "term-" + re.sub(r"[^a-z]+", "-", term.lower())


def _unbroken(text: str) -> Markup:
    """Escaped, and no line ends within 1e-4."""
    return Markup(re.sub(r"\d\S*e-\d+", r'<span class="unbroken">\g<0></span>', str(escape(text))))  # noqa: S704  # escaped
