"""Where the seconds of a case went, from the instance to the judged answer: a bar a solver, one panel an instance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from reports import canvas
from reports.canvas import Drawing
from reports.figures import chosen
from reports.palette import Style
from reports.panel import slug
from reports.shown import power

#: Each step with its colour, in the order of the bar.
STEPS = {"generate": 4, "prepare": 5, "warm_up": 6, "run": 0, "referee": 1}
_NAMES = {"generate": "generate or read", "warm_up": "warm-up"}
_MOST_SOLVERS = 12


def drawings(runs: pd.DataFrame, target: float, most: int) -> list[Drawing]:
    """At most `most` panels, of instances on which two solvers or more reached `target`.

    runs: runs.runs; of each solver the row with the least seconds of run that reached the target before it ended by
    itself: how long a run takes that a limit ends is not the solver's choice.
    """
    reached = runs[runs["accuracy"].between(0, target) & runs["run"].notna() & ~runs["cut"]]
    best = reached.sort_values("run").drop_duplicates(["instance", "competitor"])
    several = best.groupby("instance", observed=True)["competitor"].transform("size") > 1
    names = chosen(list(dict.fromkeys(best[several].sort_values("instance")["instance"])), most)
    return [_panel(best[best["instance"] == name], str(name), target) for name in names]


def _panel(rows: pd.DataFrame, instance: str, target: float) -> Drawing:
    rows = rows.sort_values("end_to_end").head(_MOST_SOLVERS)
    looks = {_NAMES.get(step, step): Style(slot=slot, marker="s", dash="-") for step, slot in STEPS.items()}
    with canvas.settings():
        legend_rows, columns = canvas.legend_shape(looks)
        y = f"seconds, gap {power(target)}"
        figure, axes = canvas.new_figure(legend_rows, heads=canvas.heads(instance, y))
        canvas.titles(axes, instance, "seconds end to end", y)
        canvas.name_rows(axes, list(rows["competitor"]))
        left = np.zeros(len(rows))
        for step, look in zip(STEPS, looks.values(), strict=True):
            width = rows[step].fillna(0.0).to_numpy()
            axes.barh(range(len(rows)), width, left=left, height=0.7, color=look.colour)
            left += width
        canvas.legend(figure, looks, columns, markers=True, lines=False)
        title = f"{instance}: seconds from the instance to the judged answer"
        return replace(canvas.render(figure, f"end-to-end-{slug(instance)}", title, key=looks), instance=instance)
