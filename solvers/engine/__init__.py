"""The engine: kernels that pass over all edges, and what every method on top of them shares. It imports no method.

Words, one a concept
    source, destination   the two sides of an edge e = (i, j); C_i is the polytope of source i
    edge order            the order of an instance: source after source (EdgeArrays in arrays.py)
    price, dual           one number per budget row, in passes and in answers; `value` is c_e x_e, `load` is a_e x_e
    cell                  the place of one edge in the order of a kernel; padding is a cell without an edge
    lane                  the place of one source in a slice
    slice                 sources of one kind and like degree whose cells lie together: width x lanes (layout.py)
    slice run             neighbouring slices of one shape, which the reference kernel takes at once
    band                  consecutive sources (bands.py): the unit of work of a thread, and of sums in a fixed order
    window                the bands whose cells are in memory, where the others are on the disk (stream.py)
    block                 the slices whose cells are on the device, where the others are on the host (cuda_blocks.py)
    piece                 an equal share of a loop that needs no fixed order
    pass                  one evaluation over all cells: project, advance or evaluate_feasible (kernel.py)
    scalars               the few sums of a pass that are single numbers: support, movement, distance, value
    storage, scratch      where large arrays lie (storage.py); memory of a loop for one slice (scratch_jit.py)
    rank, communicator    a process with its own sources, and its way to the others (collectives.py)
    x_jit.py              loops compiled by Numba, imported where they are first called; cuda_jit.py is Triton's

One iteration of blockpdhg on a CPU, with the files open
     1. iterate.py     Loop.solve calls _iterate, the only place where a run ends; it asks progress.limit first.
     2. halpern.py     Halpern.step chooses the Mix: RESTART, or the Halpern weights of restarts.py for this iteration.
     3. halpern.py     _pass turns the scaled y into prices and calls kernel.advance(prices, step, x, anchor, mix).
     4. shared.py      The kernel is a SharedKernel: its pass is that of this rank, then summed over the ranks.
     5. cpu.py         CpuKernel.advance packs PassNumbers and Iterate in the type of the cells (arrays.py).
     6. stream.py      windows() yields all cells at once, or window after window from the disk.
     7. cpu_jit.py     one_pass spreads the bands over the threads (threads_jit.py): _band does one.
     8. cpu_jit.py     _band zeroes its rows of Sums and takes its slices one after another.
     9. arrays_jit.py  slice_cells and slice_polytopes cut slice s out; cell k is edge k // lanes of its lane.
    10. cpu_jit.py     _evaluate: q = c + A'price into scratch, and v = x - step q beside it.
    11. slices_jit.py  support(q) adds this slice's share of the bound; project(v) makes v the projection p = x_t.
    12. cpu_jit.py     _move: ||p - x||^2, ||p - anchor||^2 and c'p; then x becomes the mix; a restart stores p.
    13. arrays_jit.py  scatter adds a_k p_k to the loads of this band, and c_k p_k to its values if they are wanted.
    14. cpu.py         _run adds the bands in their order, so that threads change no bit, and returns a Pass.
    15. halpern.py     _pass makes y_t of the loads; _measure reads all scalars with one synchronisation.
    16. progress.py    measure: the bound of this dual, the best one so far, an objective, and so the estimated gap.
    17. iterate.py     A ray ends the run (rays.py); near the tolerance, finish asks for a proof (proof.py).
    18. proof.py       The kernel evaluates x brought into C; certificate.py rounds bound and objective apart.
    19. halpern.py     Otherwise advance combines, restarts, or hands over to Newton's method (proximal/).
    20. iterate.py     A checkpoint is saved where one is due, and the next iteration begins.
"""
