"""The tables of README.md from the published records: `python -m reports.readme_tables` writes them, --check compares.

A block of README.md begins with `<!-- begin SUITE -->` and ends with `<!-- end -->`; what stands between is made here.
SUITE may be several names joined by "+", and `@ WORD` after them leaves machines whose description holds the word.
Of each solver of the default division the newest run on an instance counts, whole, also where it fails.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from reports import outcomes, readme_words, wins
from reports.headline import headline
from reports.matrix import matrix
from reports.newest import newest, published_cases
from reports.palette import styles
from reports.rankings import Ranking, rankings
from reports.readme_cells import against_others, alone
from reports.shown import markdown, power
from reports.stands import Stand, stands

ROOT = Path(__file__).parent
README = ROOT.parent / "README.md"
PUBLISHED = ROOT / "published"
#: The gaps of the tables, where somebody was asked for them.
GAPS = (1e-4, 1e-6)
_BLOCK = re.compile(r"(?<=^<!-- begin )(?P<name>[^>]+)(?P<open> -->\n).*?(?=^<!-- end -->$)", re.MULTILINE | re.DOTALL)


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 written or up to date, 1 where --check finds README.md out of date."""
    text = README.read_text()
    made = filled(text, published_cases(PUBLISHED))
    if "--check" not in arguments:
        README.write_text(made)
    elif made != text:
        print("README.md differs from reports/published: run python -m reports.readme_tables")  # noqa: T201  # a command
        return 1
    return 0


def filled(text: str, cases: pd.DataFrame) -> str:
    """`text` with every block made of `cases` (newest.published_cases)."""
    return _BLOCK.sub(lambda found: f"{found['name']}{found['open']}{_block(found['name'], cases)}", text)


def _block(name: str, cases: pd.DataFrame) -> str:
    suites, _, word = (part.strip() for part in name.partition("@"))
    rows = cases[cases["suite"].isin(suites.split("+")) & cases["machine"].str.contains(word, regex=False)]
    if rows.empty:
        return "\nNo record of this suite is published.\n\n"
    return "".join(f"\n{paragraph}\n" for paragraph in _paragraphs(newest(rows))) + "\n"


def _paragraphs(cases: pd.DataFrame) -> Iterator[str]:
    """For each machine: who is fastest, where ours is not, all times, and from which records."""
    found = outcomes.outcomes(cases)
    gaps = [gap for gap in GAPS if gap in set(found["target"])] or [float(found["target"].min())]
    edges = dict(cases.groupby("instance", observed=True)["edges"].max())
    for ranking, rows in rankings(found):
        measured = ranking.of(cases)
        yield readme_words.where(measured)
        places: Sequence[Stand] = []
        if len(set(rows["competitor"])) == 1:
            yield str(alone(measured, max(gaps)).markdown())
        else:
            places = stands(rows, measured, gaps)
            yield str(against_others(places, edges, gaps).markdown())
            yield readme_words.standing(places)
            yield from _every_time(ranking, rows, measured, gaps)
        yield readme_words.sources(measured, places)


def _every_time(ranking: Ranking, found: pd.DataFrame, cases: pd.DataFrame, gaps: Sequence[float]) -> Iterator[str]:
    """Everybody who was asked, folded away: one table a gap, the least mean first."""
    looks = styles({name: name for name in cases["competitor"]})
    for gap in gaps:
        table = matrix(found, cases, gap, looks, ranking)
        _, not_asked = headline(cases, found, wins.winners(found), gap)
        parts = (f"{table.caption}.", str(table.markdown()), markdown(not_asked))
        told = "\n\n".join(filter(None, parts))
        yield f"<details>\n<summary>Every solver, seconds to {power(gap)}</summary>\n\n{told}\n\n</details>"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
