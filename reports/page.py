"""Puts the report together and writes it: the answer first, then what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from reports import outcomes, tables, wins
from reports.built import Built
from reports.environments import contradictory, disturbed, machine, mixed, overdrawn, when_measured, where
from reports.load import Loaded
from reports.notes import drifted, few_runs
from reports.palette import styles
from reports.render import Page, files_of, render, write_files
from reports.section import Material
from reports.sections import SECTIONS, WITHOUT_CASES
from reports.shown import count, listed, percent, plural, power


def write(loaded: Loaded, out: Path, model_ranks: int | None = None) -> Built:
    page = compose(loaded, model_ranks)
    contents = {
        **files_of(page, "report.html"),
        "report.md": render("report.md.j2", page).encode(),
        "tables/cases.csv": tables.case_table(loaded.cases),
    }
    written = write_files(out, contents)
    return Built(page=out / "report.html", files=written, warnings=tuple(loaded.warnings))


def compose(loaded: Loaded, model_ranks: int | None = None, links: Sequence[tuple[str, str]] = ()) -> Page:
    """links: to other pages, where this one is part of a site."""
    cases = loaded.cases
    if cases.empty:
        return replace(_compose_without_cases(loaded, model_ranks), links=links)
    found = outcomes.outcomes(cases)
    solver_of = dict(zip(cases["competitor"], cases["solver"], strict=True))
    looks = {name: replace(look, number=k) for k, (name, look) in enumerate(styles(solver_of).items())}
    material = Material(
        loaded=loaded,
        cases=cases,
        outcomes=found,
        winners=wins.winners(found),
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
        links=links,
    )


def _compose_without_cases(loaded: Loaded, model_ranks: int | None) -> Page:
    """The page of records that hold no cases."""
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
    measured = [*loaded.scaling, *loaded.recurring, *loaded.whole, *loaded.serving]
    counts = [f"{plural(len(loaded.scaling), 'run')} over ranks."] * bool(loaded.scaling)
    counts += [f"{plural(len(loaded.recurring), 'solve')} in series of days."] * bool(loaded.recurring)
    counts += [f"{plural(len(loaded.whole), 'LP')} made whole."] * bool(loaded.whole)
    counts += [f"{plural(len(loaded.serving), 'sample')} whose prices serve other sources."] * bool(loaded.serving)
    return Page(
        title=_title_without_cases(loaded),
        summary=[
            *counts,
            f"{when_measured(row.get('time') or '' for row in measured)} on {listed(list(machines.values()))}.",
        ],
        warnings=loaded.warnings,
        sections=[made for section in WITHOUT_CASES if (made := section(material)) is not None],
    )


def _title_without_cases(loaded: Loaded) -> str:
    if loaded.scaling:
        return "How the solvers scale over ranks"
    if loaded.recurring:
        return "The same problem day after day"
    return "Whole decisions" if loaded.whole else "Serving from prices"


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
