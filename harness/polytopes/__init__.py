"""The referee's own arithmetic of polytopes; it shares no code with a solver.

Every source has the form C_i = {0 <= x_e <= u, 1'x <= z}, or 1'x = z, where z or u may be infinite: then the sum has no
limit (a box), or an edge has none (a simplex). `Chunk.limits` says so for all kinds, so nothing here asks for a kind.

    support.py   the minimum of q'x over C_i, rounded down and exact: lower bounds and proofs of infeasibility
    points.py    points of C_i from any x, and by how much a point misses C_i: upper bounds
"""
