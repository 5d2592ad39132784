"""What families and solvers are, as (topic, sentence) for a reader who compares them with an LP of their own."""

from __future__ import annotations

import inspect
import sys

from harness.cards import listing
from harness.describe import description
from instances import family, family_names, generate, parse_spec
from instances.errors import InputError
from instances.row_kinds import rows_taken

#: Of the instance that stands for a family: large enough for its numbers to settle, made in a second.
_SIZE = "sources=5000,destinations=100,degree=10,seed=1"


def about_family(name: str) -> list[tuple[str, str]]:
    """What it is, the workload it stands for, and what `dualbench instances` says of one; [] for another's family."""
    if name not in family_names():
        return []
    known = family(name)
    told = inspect.getdoc(sys.modules[type(known).__module__]) or ""
    workload = " ".join(told.partition("\n\n")[2].split())
    try:
        facts = description(generate(parse_spec(f"{name}:{_SIZE}")))
    except InputError:  # a family of fixed size, such as one that is read from a file
        facts = []
    topic = "workload" if workload.startswith("Workload: ") else "how it is made"
    return [("title", known.title), *([(topic, workload.removeprefix("Workload: "))] if workload else []), *facts]


def about_solver(name: str) -> list[tuple[str, str]]:
    """Its title and citation, and what it takes; [] for one that is not known here."""
    card = listing().cards.get(name)
    if card is None:
        return []
    polytopes = ", ".join(sorted(kind.name for kind in card.polytopes))
    polytopes += ", upper bounds one an edge" if card.upper_of_edges else ""
    exact = [("accuracy", "its answer does not depend on the tolerance")] if card.exact else []
    return [
        ("title", card.title),
        ("cite", card.citation),
        ("rows it takes", rows_taken(card.rows)),
        ("sources it takes", polytopes),
        ("runs on", ", ".join(card.devices)),
        ("memory", f"{card.bytes_per_edge:,.0f} bytes an edge beyond the instance"),
        *exact,
    ]
