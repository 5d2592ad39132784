"""One DuckDB for one build: its threads, memory and folder of temporary files, and nothing from the network.

Data reach it as parameters or as registered tables; text of SQL holds our own words and quoted names of columns alone.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from instances.available import available_memory, memory_limited
from instances.cpus import usable_threads
from instances.errors import ProblemError
from instances.tables.spill import spill_folder

#: Of the memory that may be used, what DuckDB gets; the arrays of the LP grow beside it.
_SHARE = 0.6
_LONGEST = 300  # characters of a message of DuckDB that are shown


@contextlib.contextmanager
def session(threads: int | None, memory_limit: int | None) -> Iterator[Any]:
    """A DuckDB connection that spills to a temporary folder; memory_limit: bytes that this process may have meanwhile.

    Raises ProblemError, in one line, for whatever DuckDB refuses.
    """
    import duckdb

    with memory_limited(memory_limit), spill_folder() as folder:
        config = {
            "threads": threads or usable_threads(),
            "memory_limit": f"{max(64 << 20, int(_SHARE * available_memory()))}B",
            "temp_directory": folder,
            "python_enable_replacements": False,  # names of tables never mean variables of Python
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "arrow_large_buffer_size": True,  # keys of more than 2 GiB of text in one array
        }
        connection = duckdb.connect(config=config)
        connection.execute("SET enable_progress_bar = false")  # it writes to the standard output
        connection.execute("SET TimeZone = 'UTC'")  # text without a zone means the same on every machine
        try:
            yield connection
        except duckdb.Error as error:
            raise ProblemError(_one_line(error)) from error
        except RuntimeError as error:
            if "interrupted" not in str(error):
                raise
            raise KeyboardInterrupt from error  # what DuckDB makes of an interrupt while a query runs
        finally:
            connection.close()


def rows_of(connection: Any, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query with few of them; none is left open."""
    rows: list[tuple[Any, ...]] = connection.execute(query).fetchall()
    return rows


def quoted(column: str) -> str:
    """The name of a column as an identifier of SQL."""
    return '"' + column.replace('"', '""') + '"'


def _one_line(error: Exception) -> str:
    message, *details = re.split("Possible Solution|Possible fixes", str(error), maxsplit=1)
    file = re.search(r"file = (.*)", "".join(details))
    text = " ".join(f"{f'{file[1]}: ' if file else ''}{message}".split())
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f"DuckDB cannot read the tables: {shown}"
