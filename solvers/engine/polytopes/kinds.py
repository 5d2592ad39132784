"""The kinds of polytopes as compiled code knows them: the numbers of `instances.Kind`, read from there.

Numba and Triton take plain module constants, no enumeration.
"""

from __future__ import annotations

from instances import Kind

SIMPLEX = int(Kind.SIMPLEX)
EQUALITY = int(Kind.SIMPLEX_EQUALITY)
BOX = int(Kind.BOX)
BOX_CUT = int(Kind.BOX_CUT)
BOX_CUT_EQUALITY = int(Kind.BOX_CUT_EQUALITY)

#: What every technology of the engine has, and so what our solvers take.
ENGINE_KINDS = frozenset({Kind.SIMPLEX, Kind.SIMPLEX_EQUALITY, Kind.BOX, Kind.BOX_CUT, Kind.BOX_CUT_EQUALITY})

#: Kinds are the numbers 0..KINDS - 1, so that compiled code can count sources by kind.
KINDS = len(Kind)

assert sorted(Kind) == list(range(KINDS)), "kinds of polytopes are numbered 0, 1, 2, ... without gaps"
assert {SIMPLEX, EQUALITY, BOX, BOX_CUT, BOX_CUT_EQUALITY} == set(Kind), "every kind has its constant here"
