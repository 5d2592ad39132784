"""Many runs as one site: an index, the page of every run, one page a family and one a solver, and the history.

Static files that refer to each other by relative paths: a site works from a folder, and the same records give the same
bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from reports import history, site_tables, tables, tallies
from reports.built import Built
from reports.page import compose
from reports.panel import slug
from reports.render import Page, files_of, write_files
from reports.section import Section
from reports.shown import Cell, Column, Table, listed, plural
from reports.site_runs import Run, read_runs

#: (topic, sentence) of a family or a solver by name, the first one what it is; empty where nothing is known of it.
About = Callable[[str], Sequence[tuple[str, str]]]
INSTANCES_NAMED = 6
_UP = [("All runs", "../../index.html")]
_COMPARE = (
    "“dualbench instances SPEC” says the same of an LP of yours (a folder, mps:path=FILE or another spec): compare it "
    "topic by topic. c is what an edge costs (below 0: minus its value), a what it takes of the budget b of its "
    "destination; i, j and e number sources, destinations and edges. What is said of the example hardly changes with "
    "the size of a synthetic instance."
)


def build_site(inputs: Sequence[Path], out: Path, about_family: About, about_solver: About) -> Built:
    """Write the site of `inputs`, each a run (site_runs.read_runs), into `out`. Raises InputError as reports.build."""
    runs = read_runs(inputs)
    by_name = {run.name: run for run in runs}
    times = pd.concat([run.times for run in runs], ignore_index=True) if runs else pd.DataFrame()
    families = {name: about_family(name) for name in _names(times, "family")}
    solvers = {name: about_solver(name) for name in _names(times, "solver")}

    contents = _run_files(runs)
    contents |= files_of(_index(runs, times, families, solvers), "index.html")
    if len(times):
        contents |= _below("history", files_of(_history(times, by_name), "index.html"))
    for name, about in families.items():
        page = _family(name, about, times[times["family"] == name], by_name)
        contents |= _below(f"families/{slug(name)}", files_of(page, "index.html"))
    for name, about in solvers.items():
        page = _solver(name, about, times[times["solver"] == name], by_name)
        contents |= _below(f"solvers/{slug(name)}", files_of(page, "index.html"))
    warnings = tuple(f"{run.name}: {line}" for run in runs for line in run.loaded.warnings)
    return Built(page=out / "index.html", files=write_files(out, contents), warnings=warnings)


def _names(times: pd.DataFrame, column: str) -> list[str]:
    return sorted(set(times[column]) - {""}) if len(times) else []


def _below(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": content for name, content in files.items()}


def _run_files(runs: Sequence[Run]) -> dict[str, bytes]:
    """The page of every run, with its figures and tables."""
    files: dict[str, bytes] = {}
    for run in runs:
        page = compose(run.loaded, links=[("All runs", "../../index.html")])
        files |= _below(run.folder, files_of(page, "report.html"))
        files[f"{run.folder}/tables/cases.csv"] = tables.case_table(run.loaded.cases)
    return files


def _index(
    runs: Sequence[Run],
    times: pd.DataFrame,
    families: Mapping[str, Sequence[tuple[str, str]]],
    solvers: Mapping[str, Sequence[tuple[str, str]]],
) -> Page:
    families_and_solvers = []
    if len(times):
        families_shown = site_tables.family_table(times, _titles(families))
        solvers_shown = site_tables.solver_table(times, _titles(solvers))
        families_and_solvers = [
            Section(anchor="families", title="Which family is your LP like?", tables=[families_shown]),
            Section(anchor="solvers", title="What each solver does", tables=[solvers_shown]),
        ]
    return Page(
        title="Solvers for matching LPs, measured",
        summary=[
            f"{plural(len(runs), 'run')} of {plural(len(families), 'family')} and {plural(len(solvers), 'solver')}. "
            "Every gap was certified by one referee from the answer of the solver; the page of a family says how to "
            "see whether your LP is like it."
        ],
        warnings=[],
        sections=[
            *families_and_solvers,
            Section(anchor="runs", title="Runs", tables=[site_tables.run_table(runs)]),
        ],
        links=[("History", "history/index.html")] if len(times) else [],
    )


def _titles(known: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, str]:
    return {name: about[0][1] for name, about in known.items() if about}


def _family(name: str, about: Sequence[tuple[str, str]], times: pd.DataFrame, runs: Mapping[str, Run]) -> Page:
    """What it stands for, how to see whether an LP is like it, what its instances are, and every time."""
    cases = pd.concat([runs[run].loaded.cases for run in dict.fromkeys(times["run"])], ignore_index=True)
    cases = cases[cases["family"] == name].assign(instance=lambda rows: rows["instance"].astype(str))
    forms = tallies.forms(cases)
    sections = []
    if len(about) > 1:
        facts = _facts(about[1:], "in this family")
        sections.append(Section(anchor="like", title="Is your LP like it?", lead=[_COMPARE], tables=[facts]))
    if len(forms):
        table = tables.form_table(forms, tables.instance_cells(cases))
        sections.append(Section(anchor="instances", title="Its instances", tables=[table]))
    every = site_tables.place_table(times, runs, "times", "Every time, against the fastest of its run")
    return Page(
        title=f"Family {name}",
        summary=[about[0][1] if about else "Nothing is known here of this family.", _measured(times)],
        warnings=[],
        sections=[*sections, Section(anchor="times", title="All times", tables=[every])],
        links=_UP,
    )


def _facts(about: Sequence[tuple[str, str]], what: str) -> Table:
    return Table(
        name="facts",
        caption="What tells one from another",
        columns=[Column(title="topic", numeric=False), Column(title=what, numeric=False)],
        rows=[[Cell(text=topic), Cell(text=sentence)] for topic, sentence in about],
        frame=pd.DataFrame(about, columns=["topic", what]),
    )


def _measured(times: pd.DataFrame) -> str:
    names = list(dict.fromkeys(times["instance"]))
    shown = names[:INSTANCES_NAMED] + ([f"{len(names) - INSTANCES_NAMED} more"] if len(names) > INSTANCES_NAMED else [])
    return f"Measured: {listed(shown)} in {plural(times['run'].nunique(), 'run')}."


def _solver(name: str, about: Sequence[tuple[str, str]], times: pd.DataFrame, runs: Mapping[str, Run]) -> Page:
    """What it is and takes, where it wins, and where it loses."""
    takes = [Section(anchor="takes", title="What it takes", tables=[_facts(about[2:], "of this solver")])]
    return Page(
        title=name,
        summary=[sentence for _, sentence in about[:2]] or ["Nothing is known here of this solver."],
        warnings=[],
        sections=[
            *(takes if about else []),
            _places("wins", "Where it wins", site_tables.won(times), len(times), runs),
            _places("losses", "Where it loses", site_tables.lost(times), len(times), runs),
        ],
        links=_UP,
    )


def _places(anchor: str, title: str, rows: pd.DataFrame, asked: int, runs: Mapping[str, Run]) -> Section:
    title = f"{title}: {len(rows)} of the {plural(asked, 'place')} where it was asked"
    if rows.empty:
        return Section(anchor=anchor, title=title)
    caption = "Its time, and that of the fastest; a place is one instance and one gap in one run on one machine"
    return Section(anchor=anchor, title=title, tables=[site_tables.place_table(rows, runs, anchor, caption)])


def _history(times: pd.DataFrame, runs: Mapping[str, Run]) -> Page:
    found = history.changes(times)
    return Page(
        title="History",
        summary=["How the time of each solver to a certified gap changed from run to run."],
        warnings=[],
        sections=[history.section(found, runs)],
        styles=history.looks_of(found),
        links=[("All runs", "../index.html")],
    )
