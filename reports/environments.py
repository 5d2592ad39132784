"""Where the cases were run: one line for the summary, a warning where machines are mixed, a table of all facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from harness.records import DISTURBED
from reports.load import Loaded
from reports.outcomes import contradictions
from reports.shown import ABSENT, Cell, Column, Table, digits, listed, plural

ENVIRONMENTS_SHOWN = 6
#: CPU seconds of `run` beyond which a case used more cores than its threads: a factor, and the error of a reading.
MOST_CPU = 1.1
CPU_TICKS = 0.1


def where(loaded: Loaded) -> str:
    machines = {row["machine"]: row for row in reversed(loaded.environments)}
    if not machines:
        return "The records do not say on which machine."
    threads = sorted(loaded.cases.loc[loaded.cases["status"] != "skipped", "threads"].dropna().unique())
    with_threads = f", {listed([plural(int(value), 'thread') for value in threads])} a solver" if threads else ""
    when = when_measured(loaded.cases["time"])
    if len(machines) == 1:
        return f"{when} on {machine(next(iter(machines.values())))}{with_threads}."
    each = "; ".join(f"{letter}: {machine(machines[letter])}" for letter in sorted(machines))
    return f"{when} on {len(machines)} machines{with_threads}: {each}."


def when_measured(times: Iterable[str]) -> str:
    """Measured, and on which days."""
    days = sorted({time[:10] for time in times} - {""})
    return f"Measured {' to '.join(dict.fromkeys((days[0], days[-1])))}" if days else "Measured"


def machine(environment: Mapping[str, Any]) -> str:
    memory = environment.get("memory_bytes")
    cores = environment.get("cores")
    facts = [
        str(environment.get("cpu") or "an unnamed CPU"),
        f"{cores} cores" if cores else "",
        f"{digits(memory / 2**30)} GiB" if isinstance(memory, (int, float)) else "",
        plain("gpu", environment["gpu"]) if environment.get("gpu") else "no GPU",
        str(environment.get("platform") or "").partition("-")[0],
    ]
    return ", ".join(filter(None, facts))


def mixed(loaded: Loaded) -> list[str]:
    """One line for everything that differs between cases and is not the solver."""
    tried = loaded.cases[loaded.cases["status"] != "skipped"]
    threads = [plural(int(value), "thread") for value in sorted(tried["threads"].dropna().unique())]
    devices = sorted(set(tried["device"]) - {""})
    return [
        *_mixed_machines(loaded),
        *([f"Not all cases ran with the same number of threads: {listed(threads)}."] if len(threads) > 1 else []),
        *([f"Not all cases ran on the same device: {listed(devices)}."] if len(devices) > 1 else []),
        *_mixed_limits(tried),
    ]


def _mixed_limits(tried: pd.DataFrame) -> list[str]:
    """One line where solvers had different time limits."""
    counts = tried["time_limit"].value_counts().sort_index()
    if len(counts) < 2:
        return []
    told = listed([f"{limit:g} s ({plural(int(number), 'case')})" for limit, number in counts.items()])
    return [
        f"Not all cases had the same time limit: {told}. Where another limit might have made another result, the limit "
        "stands at the time, and nobody wins over a solver that had less time than the fastest took."
    ]


def contradictory(loaded: Loaded) -> list[str]:
    """One line where the referee's figures cannot be right."""
    wrong = loaded.cases[contradictions(loaded.cases)]
    if wrong.empty:
        return []
    named = listed([f"{row.competitor} on {row.instance}" for row in wrong.head(3).itertuples()])
    return [
        f"A fault: {plural(len(wrong), 'case')} with a bound above the objective of a feasible point ({named}"
        f"{', ...' if len(wrong) > 3 else ''}). Records were changed, or the referee is wrong: none of them counts."
    ]


def overdrawn(loaded: Loaded) -> list[str]:
    """One line where solvers used more cores than all were given: CPU seconds of `run` are read from outside."""
    cases = loaded.cases
    wrong = cases[cases["cpu_run"] > MOST_CPU * cases["threads"] * cases["run"] + CPU_TICKS]
    if wrong.empty:
        return []
    worst = wrong.iloc[int((wrong["cpu_run"] / (wrong["threads"] * wrong["run"])).to_numpy().argmax())]
    return [
        f"{plural(len(wrong), 'case')} used more cores than the threads given: {worst['competitor']} on "
        f"{worst['instance']} took {digits(worst['cpu_run'])} s of CPU time in {digits(worst['run'])} s of run with "
        f"{plural(int(worst['threads']), 'thread')}. Such times compare unlike things."
    ]


def disturbed(loaded: Loaded) -> list[str]:
    """One line where times were measured on a machine that was not left alone."""
    number = int((loaded.cases["disturbed"] != "").sum())
    line = f"{number:,} of {plural(len(loaded.cases), 'case')} disturbed, marked {DISTURBED}: see Definitions."
    return [line] if number else []


def _mixed_machines(loaded: Loaded) -> list[str]:
    machines = sorted(loaded.cases["machine"].unique())
    if len(machines) > 1:
        return [
            f"These cases come from {len(machines)} machines ({listed(machines)}): every solver carries its machine, "
            "and a factor between solvers on different machines compares the machines as well."
        ]
    environments = len(loaded.cases["environment"].unique())
    if environments > 1:
        return [
            f"These cases come from {environments} environments on one machine: versions or the commit differ, "
            "see Environment."
        ]
    return []


def environment_table(environments: Sequence[Mapping[str, Any]]) -> Table:
    """One row a property, one column an environment."""
    shown = environments[:ENVIRONMENTS_SHOWN]
    flat = [{key: plain(key, value) for key, value in row.items()} for row in environments]
    keys = [
        key for key in dict.fromkeys(key for row in flat for key in row) if key not in ("schema", "kind", "machine")
    ]

    columns = [
        Column(title="property", numeric=False),
        *(Column(title=f"environment {n} (machine {row['machine']})", numeric=False) for n, row in enumerate(shown, 1)),
    ]
    rows = [
        [
            Cell(text=key.removesuffix("_bytes").replace("_", " ")),
            *(Cell(text=row.get(key, ABSENT)) for row in flat[:ENVIRONMENTS_SHOWN]),
        ]
        for key in keys
    ]

    frame = pd.DataFrame([[key, *(row.get(key, "") for row in flat)] for key in keys])
    frame.columns = pd.Index(["property", *(f"environment {n}" for n in range(1, len(flat) + 1))][: frame.shape[1]])
    return Table(
        name="environments",
        caption="Where the cases were run",
        columns=columns,
        rows=rows,
        frame=frame,
        left_out=len(environments) - len(shown),
    )


def plain(key: str, value: Any) -> str:
    if value is None or value == "":
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key.endswith("_bytes") and isinstance(value, (int, float)):
        return f"{digits(value / 2**30)} GiB"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(name, value[name])}" for name in sorted(value))
    if isinstance(value, (list, tuple)):
        return ", ".join(plain("", item) for item in value)
    return " ".join(str(value).split())
