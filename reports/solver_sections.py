"""The sections about what solvers can do: success, instances they could not take, memory, every run, failures."""

from __future__ import annotations

from dataclasses import replace

from reports import definitions, figures, means, outcomes, runs, tables, tallies
from reports.rankings import rankings
from reports.section import Material, Section
from reports.shown import count, plural, power


def success(material: Material) -> Section:
    profiles = []
    for ranking, rows in rankings(material.outcomes):
        for target in outcomes.targets(material.cases):
            times = means.common_times(rows, target)
            panel = figures.profile(times, target, material.styles, ranking)
            profiles += [replace(panel, gap=power(target))] if panel is not None else []
    rates = []
    if len(material.outcomes):
        rates = tables.success_tables(means.success(material.outcomes), material.styles)
    return Section(
        anchor="success",
        title="Success, correctness, performance profile",
        drawings=profiles,
        tables=[*rates, tables.claims_table(tallies.claims(material.cases), material.styles)],
        see=[definitions.SUCCESS, definitions.MEAN, definitions.PROFILE],
    )


def instances(material: Material) -> Section | None:
    forms = tallies.forms(material.cases)
    if forms.empty:
        return None
    table = tables.form_table(forms, material.instances)
    return Section(anchor="instances", title="What the instances are, and who could take them", tables=[table])


def memory(material: Material) -> Section | None:
    peaks = tallies.memory(material.cases)
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
    unsolved = tallies.failures(material.cases)
    if unsolved.empty:
        return Section(anchor="not-solved", title="Not solved", lead=["Every case is solved."])
    number = int(unsolved["cases"].sum())
    return Section(
        anchor="not-solved",
        title="Not solved",
        lead=[f"{plural(number, 'case')} of {count(len(material.cases))}, skipped ones included."],
        tables=[tables.failure_table(unsolved, material.styles)],
    )
