"""`python -P -m harness.declare`: what adapters from outside say of themselves, without their code in the harness.

Standard input: {"origins": [...], "seconds": limit}, origins as in SolverCard. Standard output: for each origin
{"told": [declaration, availability], "end": how it ended}, where told may be [{"refused": why}]. Each origin is loaded
in a fork of its own.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from functools import partial

from harness.answers import availability
from harness.forks import Fork, Tell
from harness.isolation import processes
from instances import InputError
from solvers.card import declaration
from solvers.registry import load_origin

_GENTLE = 0.1


def main() -> None:
    processes.adopt_orphans()
    asked = json.load(sys.stdin)
    forks = [Fork(partial(_declare, origin)) for origin in asked["origins"]]
    answers = [fork.finish(asked["seconds"]) for fork in forks]
    processes.end_children(_GENTLE)
    json.dump([{"told": told, "end": end} for told, end in answers], sys.stdout)


def _declare(origin: str, tell: Tell) -> None:
    try:
        solver = load_origin(origin)
        tell(declaration(solver))
    except InputError as error:
        tell({"refused": str(error)})
    else:
        tell(dataclasses.asdict(availability(solver)))


if __name__ == "__main__":
    main()
