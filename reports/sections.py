"""The sections of the report in the order of the page: what each says, shows and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reports import (
    costs,
    definitions,
    environments,
    figures,
    growth,
    outcomes,
    recurring,
    runs,
    scaling,
    steps,
    tables,
    time_tables,
)
from reports.answer import answer, preferred
from reports.anytime import anytime
from reports.rankings import rankings
from reports.section import Material, Section
from reports.shown import Cell, count, listed, plural, power

INSTANCES_STACKED = 12
INSTANCES_DRAWN = 24  # figures of single instances; the tables hold all of them


def wins(material: Material) -> Section | None:
    if material.winners.empty:
        return None
    return Section(
        anchor="wins",
        title="Fastest solver by instance and certified gap",
        tables=time_tables.winner_tables(material.winners, material.instances, material.styles),
        see=[definitions.TIME, definitions.WIN, definitions.PREPARE, definitions.MARKS],
    )


def instances(material: Material) -> Section | None:
    forms = outcomes.forms(material.cases)
    if forms.empty:
        return None
    table = tables.form_table(forms, material.instances)
    return Section(anchor="instances", title="What the instances are, and who could take them", tables=[table])


def times(material: Material) -> Section:
    reached = material.outcomes.dropna(subset="seconds")
    if reached.empty:
        return Section(anchor="times", title="Time to each certified gap", lead=["No case reached any of the targets."])
    sizes = figures.sizes_of(material.cases)
    drawings = [
        replace(panel, gap=power(target))
        for target in outcomes.targets(material.cases)
        for panel in figures.time_by_size(material.outcomes, sizes, target, material.styles)
    ]
    return Section(
        anchor="times",
        title="Time to each certified gap",
        lead=[
            "Lower, or further left, is better. Hollow: disturbed, or too short to tell. A solver without a marker did "
            "not reach the gap or was not tried."
        ],
        see=[definitions.TIME, definitions.PREPARE, definitions.MARKS],
        drawings=drawings,
        tables=time_tables.time_tables(material.outcomes, material.instances, material.styles),
    )


def gap_against_time(material: Material) -> Section | None:
    names = figures.chosen(list(material.instances), INSTANCES_DRAWN)
    groups = {str(name): rows for name, rows in material.cases.groupby("instance", observed=True)}
    panels = [(name, figures.gap_against_time(groups[name], name, material.styles)) for name in names]
    drawn = [replace(panel, instance=name) for name, panel in panels if panel is not None]
    if not drawn:
        return None
    lead = [
        "One point a tolerance asked (medians over repeats, bars their range), joined from the loosest to the "
        "tightest; lower left is better. A line that turns back was faster when it was asked for more; where there are "
        "no bars, a point is one run, and nothing says how much times vary. Hollow: not solved. Gaps below "
        f"{power(figures.SMALLEST_GAP)} are drawn there."
    ]
    return Section(
        anchor="accuracy",
        title="Time against certified gap",
        lead=[*lead, *_left_out(names, material.instances)],
        see=[definitions.GAP],
        drawings=drawn,
    )


def gap_over_time(material: Material) -> Section | None:
    traced = material.cases[material.cases["trace"].notna()]
    traced = traced.sort_values(["instance", "competitor", "tolerance", "repeat"])
    traced = traced.drop_duplicates(["instance", "competitor"])
    known = set(traced["instance"])
    names = [name for name in material.instances if name in known]
    if not names:
        return None

    shown = figures.chosen(names, INSTANCES_DRAWN)
    drawn = []
    for name in shown:
        rows = traced[traced["instance"] == name]
        traces = dict(zip(rows["competitor"], rows["trace"], strict=True))
        panel = figures.gap_over_time(traces, name, material.styles)
        drawn += [replace(panel, instance=name)] if panel is not None else []

    tracing = sorted(set(traced["competitor"]))
    silent = sorted(set(material.cases["competitor"]) - set(tracing))
    lead = [
        "Not certified: the best gap so far that a solver reported about itself, in its first repeat at the tightest "
        f"tolerance. {listed(tracing)} {'report' if len(tracing) > 1 else 'reports'} one"
        f"{f'; {listed(silent)} cannot, and {_have(silent)} no line' if silent else ''}."
    ]
    return Section(
        anchor="progress",
        title="Gap over time, the solver's own view",
        lead=[*lead, *_left_out(shown, names)],
        see=[definitions.TRACE],
        drawings=drawn,
    )


def _have(names: Sequence[str]) -> str:
    return "have" if len(names) > 1 else "has"


def _left_out(shown: Sequence[str], names: Sequence[str] | Mapping[str, Cell]) -> list[str]:
    if len(shown) == len(names):
        return []
    return [f"Drawn are {len(shown)} of {len(names)} instances, spread over families and sizes; tables/ has them all."]


def success(material: Material) -> Section:
    profiles = []
    for ranking, rows in rankings(material.outcomes):
        for target in outcomes.targets(material.cases):
            times = outcomes.common_times(rows, target)
            panel = figures.profile(times, target, material.styles, ranking)
            profiles += [replace(panel, gap=power(target))] if panel is not None else []
    rates = []
    if len(material.outcomes):
        rates = tables.success_tables(outcomes.success(material.outcomes), material.styles)
    return Section(
        anchor="success",
        title="Success, correctness, performance profile",
        drawings=profiles,
        tables=[*rates, tables.claims_table(outcomes.claims(material.cases), material.styles)],
        see=[definitions.SUCCESS, definitions.MEAN, definitions.PROFILE],
    )


def end_to_end(material: Material) -> Section | None:
    reached = sorted(material.outcomes.dropna(subset="seconds")["target"].unique())
    if not reached:
        return None
    target = preferred(reached)
    drawn = steps.drawings(runs.runs(material.cases), target, INSTANCES_STACKED)
    if not drawn:
        return None
    lead = (
        f"Of the fastest run of each solver to {power(target)}: making or reading the instance, preparing it, the "
        "first tiny solve of a process with imports and compilation, run, and the judgement. Only run decides who is "
        "fastest."
    )
    return Section(
        anchor="end-to-end",
        title="From the instance to a judged answer",
        lead=[lead],
        see=[definitions.PREPARE],
        drawings=drawn,
    )


def memory(material: Material) -> Section | None:
    peaks = outcomes.memory(material.cases)
    if peaks.empty:
        return None
    table = tables.memory_table(peaks, material.instances, material.styles)
    return Section(anchor="memory", title="Peak memory", see=[definitions.MEMORY], tables=[table])


def details(material: Material) -> Section | None:
    found = runs.runs(material.cases)
    if found.empty:
        return None
    return Section(
        anchor="details",
        title="Every run: objective, bound, iterations, seconds",
        tables=[runs.runs_table(found, material.styles)],
        see=[definitions.GAP, definitions.PREPARE],
    )


def failures(material: Material) -> Section:
    unsolved = outcomes.failures(material.cases)
    if unsolved.empty:
        return Section(anchor="not-solved", title="Not solved", lead=["Every case is solved."])
    number = int(unsolved["cases"].sum())
    return Section(
        anchor="not-solved",
        title="Not solved",
        lead=[f"{plural(number, 'case')} of {count(len(material.cases))}, skipped ones included."],
        tables=[tables.failure_table(unsolved, material.styles)],
    )


def ranks(material: Material) -> Section | None:
    if not material.loaded.scaling:
        return None
    runs = scaling.scaling_frame(material.loaded.scaling)
    return Section(
        anchor="scaling",
        title="Scaling over ranks",
        points=scaling.speedups(runs),
        drawings=scaling.drawings(runs, material.model_ranks),
        tables=[scaling.runs_table(runs)],
        more=scaling.DEFINITIONS,
    )


def again(material: Material) -> Section | None:
    if not material.loaded.recurring:
        return None
    chains = recurring.by_chain(recurring.recurring_frame(material.loaded.recurring))
    if chains.empty:
        return None
    return Section(
        anchor="again",
        title="Again tomorrow: warm starts, and how far an answer moves",
        points=recurring.calmed(chains),
        drawings=recurring.drawings(chains),
        tables=[recurring.chains_table(chains)],
        more=recurring.DEFINITIONS,
    )


def environment(material: Material) -> Section:
    runs = material.loaded.runs
    commands = dict.fromkeys(str(run["command"]) for run in runs if run.get("command"))
    rows = material.loaded.environments
    versions = material.cases.loc[material.cases["solver_version"] != "", ["solver", "solver_version"]]

    versions_of = sorted(set(versions.itertuples(index=False, name=None)))
    suites = {str(run.get("suite", "")): str(run.get("description") or "") for run in runs}
    return Section(
        anchor="environment",
        title="Environment, and how to make it again",
        lead=[
            *(f"Suite {suite}: {text}" for suite, text in sorted(suites.items()) if text),
            *(
                [f"Solvers: {listed([f'{solver} {version}' for solver, version in versions_of])}."]
                if versions_of
                else []
            ),
        ],
        tables=[environments.environment_table(rows)] if rows else [],
        commands=list(commands),
        more=["dualbench report FOLDER --out FOLDER makes this page from the records again."]
        if commands
        else ["The records do not hold the command that made them."],
    )


def meanings(material: Material) -> Section:
    used = {*definitions.STATUSES} | set(material.cases["status"])
    statuses = [(name.replace("_", " "), definitions.STATUSES.get(name, "not known here")) for name in sorted(used)]
    return Section(
        anchor="definitions",
        title="Definitions and limits",
        terms=[*definitions.DEFINITIONS, *((f"Status “{name}”", text) for name, text in statuses)],
        points=definitions.LIMITS,
    )


#: The order of the page.
SECTIONS = (
    answer,
    wins,
    times,
    growth.section,
    instances,
    gap_against_time,
    anytime,
    gap_over_time,
    success,
    end_to_end,
    costs.section,
    memory,
    details,
    failures,
    again,
    ranks,
    environment,
    meanings,
)
#: Of a page from records without cases.
WITHOUT_CASES = (again, ranks, environment)
