"""What the page says first: who wins where, against whom, how many were asked, and who was not and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from reports.shown import factor, listed, plural, power
from reports.time_texts import AT_LEAST, bound

#: What is said of the places where nobody wins, by verdict (wins.winners).
NO_WIN = {
    "level": "level on {}",
    "run alone": "the fastest on {} is slower than another with prepare",
    "not comparable": (
        "not comparable on {}, where a limit ended the run of a solver that had reached it at an unknown time before"
    ),
    "other limits": "the fastest on {} was given, and needed, more time than another that its time limit ended",
    "walkover": "one solver alone was asked on {}",
    "none": "none of those asked reaches it on {}",
    "not asked": "nobody was asked on {}",
}
RIVALS_NAMED = 4
REASONS_NAMED = 2
LONGEST_REASON = 120
_NO_CASE = "no case"
_LOOSER = "asked for a larger gap only"


def headline(
    cases: pd.DataFrame, outcomes: pd.DataFrame, winners: pd.DataFrame, target: float, label: str = ""
) -> tuple[str, str]:
    """The wins at `target` with what is no win and the options given, and who was not asked, with the reason.

    The second is "" where everybody was asked. The frames hold one ranking alone, which `label` names beside others.
    """
    found = outcomes[outcomes["target"] == target]
    best = winners[winners["target"] == target]
    opening = " ".join(filter(None, (f"To {power(target)}", label and f"({label})")))
    return " ".join([f"{opening}: {_wins(found, best)}.", *_options(cases)]), "".join(_not_asked(cases, found))


def _wins(found: pd.DataFrame, best: pd.DataFrame) -> str:
    asked = sorted(set(found.loc[found["asked"], "competitor"]))
    if not asked:
        return "nobody was asked"
    if len(asked) == 1:
        reached = int(best["winner"].notna().sum())
        return f"{asked[0]}, the only solver asked, on {reached} of {plural(len(best), 'instance')}"

    won = best[best["verdict"] == "win"]
    ranked = sorted(Counter(won["winner"]).items(), key=lambda item: (-item[1], str(item[0])))
    sentences = [
        f"{solver} is fastest on {number} of {plural(len(best), 'instance')}{_lead_of(won[won['winner'] == solver])}"
        for solver, number in ranked
    ]
    numbers = Counter(best["verdict"])
    sentences += [words.format(numbers[verdict]) for verdict, words in NO_WIN.items() if verdict in numbers]
    return f"{'; '.join(sentences)}; {len(asked)} solvers were asked"


def _lead_of(won: pd.DataFrame) -> str:
    """By which factors one solver leads, and over whom; over those that did not reach the gap there is no factor."""
    factors = won["factor"].dropna()
    if factors.empty:
        return ", where no other reaches it"
    alone = len(won) - len(factors)
    bounded = won.loc[factors.index, "at_most"].isin([True])
    least, most = (_bounded(factors, bounded, which) for which in ("idxmin", "idxmax"))
    rivals = [str(name) for name, _ in Counter(won["runner_up"].dropna()).most_common()]
    more = [f"{len(rivals) - RIVALS_NAMED} more"] if len(rivals) > RIVALS_NAMED else []
    lead = f", {least if least == most else f'{least} to {most}'} faster than {listed(rivals[:RIVALS_NAMED] + more)}"
    return f"{lead} (on {alone} of them no other reaches it)" if alone else lead


def _bounded(factors: pd.Series, bounded: pd.Series, which: str) -> str:
    """The least or the largest factor, a lower bound where the winner's time is an upper one."""
    at = getattr(factors, which)()
    return bound(factor(factors[at]), AT_LEAST if bounded[at] else "")


def _options(cases: pd.DataFrame) -> Iterator[str]:
    """The options of the division "tuned", solver by solver; nothing where all have their defaults."""
    given = cases[cases["options"] != ""].drop_duplicates("competitor").sort_values("competitor")
    told = [f"{row['competitor']} is {row['solver']} with {row['options']}" for row in given.to_dict("records")]
    if told:
        yield f"Options: {'; '.join(told)}."


def _not_asked(cases: pd.DataFrame, found: pd.DataFrame) -> Iterator[str]:
    """Everybody who was not asked on some instance of the ranking, with the reasons that the records give."""
    asked = found[found["asked"]]
    pairs = set(zip(asked["instance"], asked["competitor"], strict=True))
    refused = cases[cases["status"] == "skipped"]
    reasons = dict(zip(zip(refused["instance"], refused["competitor"], strict=True), refused["reason"], strict=True))
    tried = set(zip(found["instance"], found["competitor"], strict=True))
    instances = list(dict.fromkeys(cases["instance"]))

    told = []
    for solver in sorted(set(cases["competitor"])):
        missing = [(name, solver) for name in instances if (name, solver) not in pairs]
        if missing:
            why = Counter(_LOOSER if pair in tried else reasons.get(pair, _NO_CASE) for pair in missing)
            told.append(f"{solver} on {len(missing)} of {len(instances)} ({_shortened(why)})")
    if told:
        yield f"Not asked: {'; '.join(told)}."


def _shortened(reasons: Counter[str]) -> str:
    shown = [_short(reason) for reason, _ in reasons.most_common(REASONS_NAMED)]
    more = len(reasons) - len(shown)
    return "; ".join([*shown, *([f"{more} more reasons"] if more > 0 else [])])


def _short(reason: str) -> str:
    return reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"
