"""What an instance is in the words of a record: its families, the kinds of its rows, its polytopes, how tight it is."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from harness.describe import polytopes_in_words, tightness
from harness.record import SHORT_FORM, InstanceForm
from harness.rows_in_words import rows_in_words
from instances import MatchingLP
from instances.row_kinds import in_words

#: What each instance that is alive is; a forked process inherits what is known.
_KNOWN: WeakKeyDictionary[MatchingLP, InstanceForm] = WeakKeyDictionary()
#: Beyond it the sort of all edges that `tightness` needs takes more than a second.
_MOST_EDGES = 4_000_000
#: More families than this are counted, not described.
_MOST_FAMILIES = 8


def instance_form(lp: MatchingLP) -> InstanceForm:
    """Found once for each instance; every coefficient is read once."""
    known = _KNOWN.get(lp)
    if known is None:
        known = _KNOWN[lp] = InstanceForm(
            families=_families(lp),
            row_kinds=SHORT_FORM if lp.is_short_form else in_words(lp.row_kinds),
            polytopes=". ".join(polytopes_in_words(lp)),
            tightness=_tightness(lp),
        )
    return known


def _tightness(lp: MatchingLP) -> str:
    """No text where it would take long, or more memory than there is: no case fails for a description."""
    try:
        return tightness(lp) if lp.edges <= _MOST_EDGES else ""
    except MemoryError:
        return ""


def _families(lp: MatchingLP) -> str:
    sentences = [rows_in_words(family) for family in lp.rows[:_MOST_FAMILIES]]
    beyond = len(lp.rows) - len(sentences)
    return ". ".join([*sentences, *([f"{beyond} more"] if beyond else [])])
