"""The steps of a case, in their order, and who tells them.

    holder of the instance   generate
    child of the case        load, warm-up, prepare, run, deliver, check
    judge                    referee

A process announces each of its steps once, one after the other, and hands over one result. `ending` is what comes after
it. The clock of a step starts when its announcement was sent and ends with the next one.
"""

from __future__ import annotations

import enum


class Step(enum.StrEnum):
    START = "start"
    GENERATE = "generate"
    LOAD = "load"
    WARM_UP = "warm-up"
    PREPARE = "prepare"
    RUN = "run"
    DELIVER = "deliver"
    CHECK = "check"
    REFEREE = "referee"
    ENDING = "ending"


#: What each kind of process announces.
OF_HOLDER = (Step.GENERATE,)
OF_CHILD = (Step.LOAD, Step.WARM_UP, Step.PREPARE, Step.RUN, Step.DELIVER, Step.CHECK)
OF_JUDGE = (Step.REFEREE,)
