"""Where the large arrays of a solve are put: the first storage that has room for them, of one kind on all ranks."""

from __future__ import annotations

from instances import MatchingLP
from instances.mapped import default_cache, require_disk
from solvers.engine.context import SolveContext
from solvers.engine.instance import serves_equalities
from solvers.engine.memory import check_memory, free_bytes
from solvers.engine.precision import answer_dtype
from solvers.engine.sizes import Shape, SolveBytes
from solvers.engine.storage import RAM, DiskStorage, HostStorage, Storage
from solvers.settings import OptionError, Settings


def choose_storage(
    lp: MatchingLP, settings: Settings, memory: str, context: SolveContext, what: str, *, vectors: int
) -> Storage:
    """Storage for a layout, so many primal vectors and, on the host, the answer.

    memory: see storage.py. `what` is named where memory is short. Raises InputError where there is no such storage,
    before anything is taken.
    """
    on_cpu = settings.device == "cpu"
    sharing = context.group.neighbours
    solve = SolveBytes(
        shape=Shape.of(lp),
        vectors=vectors,
        dtype=settings.dtype,
        answer_dtype=answer_dtype(settings, equality=serves_equalities(lp)),
    )
    cells_and_answer = solve.asked + solve.answer
    need = cells_and_answer if on_cpu and vectors else solve.asked  # without vectors the answer comes after the layout

    if memory == "disk" and not on_cpu:
        raise OptionError(f"memory='disk' with device={settings.device!r}: use memory='host', or device='cpu'")
    if memory == "auto" and context.anywhere(need > free_bytes(settings.device, sharing=sharing)):
        memory = "disk" if on_cpu else "host"
    if memory == "host":
        check_memory(cells_and_answer, "cpu", f"{what} from the host's memory", sharing=sharing)
        check_memory(solve.blocks, settings.device, what)
        return HostStorage(pinned=not on_cpu)
    if memory == "disk":
        require_disk(sharing * cells_and_answer, default_cache(), what)
        return DiskStorage(default_cache())
    check_memory(need, settings.device, what, sharing=sharing)
    return RAM
