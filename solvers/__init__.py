"""Solvers behind one adapter contract (solvers/base.py) and the PyTorch engine that ours share."""

from solvers.base import EXPLICIT_KINDS, EXPLICIT_ROWS, Answer, Availability, Solver, Status, TracePoint, installed
from solvers.registry import get_solver, registry
from solvers.settings import OptionError, Settings, parse_options
from solvers.start import Start, StartError

__all__ = [
    "EXPLICIT_KINDS",
    "EXPLICIT_ROWS",
    "Answer",
    "Availability",
    "OptionError",
    "Settings",
    "Solver",
    "Start",
    "StartError",
    "Status",
    "TracePoint",
    "get_solver",
    "installed",
    "parse_options",
    "registry",
]
