"""Arrays that lie beside records: read from inside their folder alone, and never unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import InputError


def read_array(folder: Path, name: Any, field: str) -> npt.NDArray[Any]:
    """The array in the file `name`, which `field` of a record gives; InputError that says why there is none."""
    what = field.removesuffix("_file")
    if not isinstance(name, str) or not name:
        raise InputError(f"the record names no {field}")

    try:
        path = (folder / name).resolve()
    except (ValueError, OSError, RuntimeError) as error:  # a NUL, a name too long, links in a circle
        raise InputError(f"{field} {name!r} is no path: {error}") from error
    if not path.is_relative_to(folder.resolve()):
        raise InputError(f"{field} {name!r} leaves the folder of the records: refused")
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{what} file {name} is not there: keep its folder beside the records") from None
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise InputError(f"{what} file {name} cannot be read: {error}") from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{what} file {name} holds several arrays, expected one")
    return array
