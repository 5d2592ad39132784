"""A problem over tables as shards, by a job of Spark: SPARK.md beside this file says how to run it.

What the statement means, the limits, the checks and the refusals are those of instances/tables: the session of DuckDB
on the driver sees the types of the edges, never their rows. The job adds what needs many machines: numbering the
sources, placing the edges in the rows, sorting them, and writing them.
"""
