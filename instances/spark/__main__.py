"""Step one of a cluster: `spark-submit $(python -m instances.spark --path) problem.toml --out DIR`.

Run by Python itself the job starts a Spark of its own, on this machine or as the configuration of Spark says.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings

from instances.errors import InputError
from instances.spark.job import write_shards
from instances.tables.problem import Problem

_BAD_INPUT = 2


def main() -> int:
    """The exit status: 2 for bad input, told in one line."""
    arguments = _parser().parse_args()
    if arguments.path:
        sys.stdout.write(f"{os.path.abspath(__file__)}\n")  # noqa: PTH100 - as it is installed
        return 0
    if arguments.problem is None or arguments.out is None:
        sys.stderr.write("dualbench: give a problem.toml and --out DIR\n")
        return _BAD_INPUT
    began = time.perf_counter()

    def tell(words: str) -> None:
        sys.stderr.write(f"dualbench: {time.perf_counter() - began:8.1f} s   {words}\n")

    try:
        problem = Problem.read(arguments.problem)
        written = write_shards(_session(), problem, arguments.out, columns=arguments.columns, progress=tell)
    except InputError as error:
        sys.stderr.write(f"dualbench: {error}\n")
        return _BAD_INPUT
    for note in written.notes:
        tell(note)
    sys.stdout.write(
        f"{written.edges:,} edges of {written.sources:,} sources in {written.row_groups:,} row groups, content "
        f"{written.content[:16]}: {written.folder}\n"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m instances.spark", description=__doc__)
    parser.add_argument("problem", nargs="?", metavar="PROBLEM.TOML")
    parser.add_argument("--out", metavar="DIR", help="folder for the shards, seen by all machines")
    parser.add_argument("--columns", action="append", default=[], metavar="NAME", help="a column of edges beside x")
    parser.add_argument("--path", action="store_true", help="print the path of this file, for spark-submit")
    return parser


def _session() -> object:
    """The session of spark-submit, or one of our own; InputError where there can be none."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # where nothing is said, workers run what runs here
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise InputError("pyspark is not installed here: pip install 'dualbench[spark]'") from error
    try:
        return SparkSession.builder.appName("dualbench").getOrCreate()
    except PySparkException as error:
        words = " ".join(str(error).split())
        raise InputError(f"Spark cannot be started ({words}): it needs Java 17 or newer, see JAVA_HOME") from error


if __name__ == "__main__":
    sys.exit(main())
