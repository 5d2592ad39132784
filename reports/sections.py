"""The sections of the report in the order of the page, and those about how it was measured."""

from __future__ import annotations

from reports import costs, definitions, environments, growth, recurring, scaling, whole
from reports.answer import answer
from reports.anytime import anytime
from reports.section import Material, Section
from reports.shown import listed
from reports.solver_sections import details, failures, instances, memory, success
from reports.time_sections import end_to_end, fastest, gap_against_time, gap_over_time, times


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
    solves = recurring.recurring_frame(material.loaded.recurring)
    chains = recurring.by_chain(solves)
    if chains.empty:
        return None
    return Section(
        anchor="again",
        title="Again tomorrow: warm starts, and how far an answer moves",
        points=[*recurring.calmed(chains), *recurring.left_out(solves)],
        drawings=recurring.drawings(chains),
        tables=[recurring.chains_table(chains)],
        more=recurring.DEFINITIONS,
    )


def whole_decisions(material: Material) -> Section | None:
    if not material.loaded.whole:
        return None
    found = whole.whole_frame(material.loaded.whole)
    return Section(
        anchor="whole",
        title="Whole decisions",
        points=whole.near_the_best(found),
        tables=[whole.whole_table(found)],
        more=whole.DEFINITIONS,
    )


def serving(material: Material) -> Section | None:
    if not material.loaded.serving:
        return None
    return Section(
        anchor="serving",
        title="Serving from prices",
        tables=[whole.serving_table(material.loaded.serving)],
        more=whole.SERVING_DEFINITIONS,
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
    fastest,
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
    whole_decisions,
    serving,
    ranks,
    environment,
    meanings,
)
#: Of a page from records without cases.
WITHOUT_CASES = (again, whole_decisions, serving, ranks, environment)
