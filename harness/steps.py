"""The steps of a case, in their order, and who announces them.

    holder of the instance   generate
    child of the case        load, warm-up, prepare, run, deliver, check
    judge                    referee

A process announces each of its steps once, one after the other, and hands over one result; `ending` is what comes after
the result. The clock of a step starts when its announcement is sent and stops at the next one.
"""

from __future__ import annotations

from collections.abc import Callable

from instances.words import Explained


class Step(Explained):
    """One step; `sentence` says what is done in it."""

    START = "start", "starting the process of the case"
    GENERATE = "generate", "making the instance, once for all solvers"
    LOAD = "load", "importing the adapter, `available`, and checking its options"
    WARM_UP = "warm-up", "a first tiny solve in the process: what is imported and compiled at first use"
    PREPARE = "prepare", "`unsuited`, and turning our arrays into the solver's form: conversion, layout, upload"
    RUN = "run", "everything that the solver does with the data, until x, dual and trace are plain arrays and numbers"
    DELIVER = "deliver", "writing x and dual into the file from which the judge reads them"
    CHECK = "check", "looking whether the solver has changed the instance"
    REFEREE = "referee", "the judgement"
    ENDING = "ending", "ending the process and what it left"


#: What is called when a step begins.
OnStep = Callable[[Step], None]

#: What each kind of process announces.
OF_HOLDER = (Step.GENERATE,)
OF_CHILD = (Step.LOAD, Step.WARM_UP, Step.PREPARE, Step.RUN, Step.DELIVER, Step.CHECK)
OF_JUDGE = (Step.REFEREE,)


def ignore_step(step: Step) -> None:
    """An OnStep that does nothing."""
