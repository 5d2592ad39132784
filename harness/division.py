"""The two divisions of a benchmark, which no ranking mixes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instances.words import Explained


class Division(Explained):
    """What a solver was given beside the instance."""

    DEFAULT = "default", "tolerance, threads and limits alone: every option is the solver's own default"
    TUNED = "tuned", "options of its own as well, which are listed"


def name_of(row: Mapping[str, Any]) -> str:
    """What a record calls its solver: the name of the variant, or the id."""
    return str(row.get("variant") or row["solver"])


def division_of(settings: Mapping[str, Any]) -> Division:
    """The division of a case with these settings; no word of a record can move a case with options out of "tuned"."""
    return Division.TUNED if settings.get("options") else Division.DEFAULT
