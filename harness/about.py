"""What families and solvers are, as (topic, sentence) for a reader who compares them with an LP of their own."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from importlib import import_module

from harness.cards import listing
from harness.describe import description
from instances import family, family_names, generate, named_instances, parse_spec
from instances.errors import InputError
from instances.readers import readers
from instances.row_kinds import rows_taken

#: Of the instance that stands for a synthetic family: large enough for its numbers to settle, made in a second.
_SIZE = "sources=5000,destinations=100,degree=10,seed=1"
#: Words before a colon that begin a row of their own; another paragraph goes on with the row before it.
_TOPICS = {"Workload": "workload", "Feasible": "a feasible point"}
_MADE = "how it is made"
#: Says what a family is to its author, not to a reader.
_BASE = "instances.families.base"


def about_family(name: str) -> list[tuple[str, str]]:
    """What it is, the workload it stands for, how it is made, and what `dualbench instances` says of an example.

    The example of real data is the first that has a name; data of the user's own have none. [] for a name that is no
    family.
    """
    if name in family_names():
        texts = [f"instances.families.{_file(name)}"]
        shared = type(family(name)).__module__
        texts += [shared] if shared not in (*texts, _BASE) else []
        title = family(name).title
        example = f"{name}:{_SIZE}"
    elif name in readers():
        texts = [f"instances.readers.{_file(name)}"]
        title = _paragraphs(texts[0])[0].rstrip(".")
        of_name = (known for known, text in named_instances().items() if text.partition(":")[0] == name)
        example = next(of_name, "")
    else:
        return []
    return [("title", title), *_told(texts), *_facts(example)]


def _file(name: str) -> str:
    return name.replace("-", "_")


def _paragraphs(module: str) -> list[str]:
    """Of the text at the top of a module, each on one line; the lines of an indented one are parted by semicolons."""
    text = inspect.getdoc(import_module(module)) or ""
    return [_one_line(paragraph.splitlines()) for paragraph in text.split("\n\n")]


def _one_line(lines: list[str]) -> str:
    is_indented = all(line.startswith("    ") for line in lines)
    joined = ("; " if is_indented else " ").join(" ".join(line.replace("`", "").split()) for line in lines)
    return f"{joined}." if is_indented else joined


def _told(modules: Iterable[str]) -> list[tuple[str, str]]:
    """The paragraphs behind the first of each module, by topic: those of a base class are of all its families."""
    told: dict[str, str] = {}
    for module in modules:
        topic = _MADE
        for paragraph in _paragraphs(module)[1:]:
            word, colon, rest = paragraph.partition(": ")
            is_named = bool(colon) and word in _TOPICS
            topic = _TOPICS[word] if is_named else topic
            told[topic] = f"{told.get(topic, '')} {rest if is_named else paragraph}".strip()
    return sorted(told.items(), key=lambda item: item[0] != _TOPICS["Workload"])


def _facts(example: str) -> list[tuple[str, str]]:
    """The numbers of the example, behind its name; [] without one."""
    if not example:
        return []
    try:
        return [("example", f"{example}, of which is all that follows"), *description(generate(parse_spec(example)))]
    except InputError:  # data that are not shipped
        return []


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
