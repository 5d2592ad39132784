"""The sections about times: who is fastest, time to each gap, gaps by time, and where the seconds of a case went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reports import definitions, figures, outcomes, runs, steps, time_tables
from reports.answer import preferred
from reports.section import Material, Section
from reports.shown import Cell, listed, power

INSTANCES_STACKED = 12
INSTANCES_DRAWN = 24  # figures of single instances; the tables hold all of them


def fastest(material: Material) -> Section | None:
    if material.winners.empty:
        return None
    return Section(
        anchor="wins",
        title="Fastest solver by instance and certified gap",
        tables=time_tables.winner_tables(material.winners, material.instances, material.styles),
        see=[definitions.TIME, definitions.WIN, definitions.PREPARE, definitions.MARKS],
    )


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
            "Lower, or further left, is better. Hollow: disturbed, too short to tell, or known to be less (≤). A "
            "solver without a marker did not reach the gap or was not tried."
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
