"""The first line of a CSV file, which names its columns and so shows what parts them.

DuckDB would guess the delimiter from all lines, and take a file with one damaged line for a file of one column.
"""

from __future__ import annotations

import csv
import glob
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from instances.errors import ProblemError
from instances.words import shown

_DELIMITERS = (",", ";", "\t", "|")
#: Bytes of a header at most: what Python's reader takes as one cell.
_LONGEST = 1 << 17
_SCAN = (
    "SELECT count(*) FROM read_csv($file, auto_detect=false, header=true, columns=$columns, "
    "delim=$delimiter, quote='\"', escape='\"')"
)


class Header(NamedTuple):
    delimiter: str
    columns: list[str]


def header_of(file: Path) -> Header:
    """ProblemError for a file without a header, or with two columns of one name."""
    start = _start_of(file)
    found = {one: next(csv.reader(io.StringIO(start, newline=""), delimiter=one), []) for one in _DELIMITERS}
    if not any(map(str.strip, found[_DELIMITERS[0]])):
        raise ProblemError(f"{file} has no header: give a first line with the names of the columns")
    delimiter = max(_DELIMITERS, key=lambda one: len(found[one]))  # the first of several, where there is one column
    twice = [name for name, times in Counter(found[delimiter]).items() if times > 1 and name.strip()]
    if twice:
        raise ProblemError(f"{file} has two columns {shown(twice[0])}: give each a name of its own")
    return Header(delimiter, found[delimiter])


def refuse_damaged_line(connection: Any, files: Sequence[Path]) -> None:
    """Raise DuckDB's error with line and file for the first of these files in which a line does not fit the header."""
    for file in files:
        header = header_of(file)
        given = {
            "file": glob.escape(str(file)),
            "delimiter": header.delimiter,
            "columns": dict.fromkeys(header.columns, "VARCHAR"),
        }
        connection.execute(_SCAN, given)


def _start_of(file: Path) -> str:
    import pyarrow as pa

    try:
        with pa.input_stream(str(file), compression="detect") as stream:
            return bytes(stream.read(_LONGEST)).decode("utf-8-sig", errors="replace")
    except (OSError, pa.ArrowException) as error:
        raise ProblemError(f"{file} cannot be read ({' '.join(str(error).split())[:200]}): give a CSV file") from error
