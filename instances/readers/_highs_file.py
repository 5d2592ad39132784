"""An MPS or LP file through HiGHS's reader, in a process of its own.

libhighs of highspy and that of OR-Tools exclude each other in one process, and a parser fed with any file may crash.

n columns, m rows; `python -m instances.readers._highs_file FILE OUT.npz` is the child.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import InputError, InstanceError

Float64 = npt.NDArray[np.float64]
_SUFFIXES = (".mps", ".lp")
_NO_HIGHSPY = 3  # exit status of the child


@dataclass(frozen=True, kw_only=True, eq=False)
class FileLP:
    """The LP as the file states it; integer columns are relaxed."""

    cost: Float64
    """float64[n], to be minimised whatever the file does."""
    maximise: bool
    """Whether the file maximises: then `cost` is its negative."""
    offset: float
    """Constant of the file's objective."""
    lower: Float64
    upper: Float64
    row_lower: Float64
    row_upper: Float64
    matrix: Any
    """float64 CSR [m, n], without entries that are 0."""
    columns: npt.NDArray[np.str_]
    """Name of each column."""
    rows: npt.NDArray[np.str_]
    """Name of each row."""


def read_file(path: Path) -> FileLP:
    """The LP in `path`, .mps or .lp, packed as .gz or not; InputError where HiGHS cannot read it."""
    from scipy import sparse

    name = path.name.removesuffix(".gz")
    if Path(name).suffix.lower() not in _SUFFIXES:
        raise InputError(f"{path} is neither .mps nor .lp, nor one of these as .gz: give such a file")
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / f"model{Path(name).suffix.lower()}"
        plain.write_bytes(unpacked(path))
        arrays = _by_child(plain, Path(folder) / "model.npz", path)
    shape = (arrays["row_lower"].size, arrays["cost"].size)
    matrix = sparse.csc_array((arrays["value"], arrays["index"], arrays["start"]), shape=shape).tocsr()
    matrix.eliminate_zeros()
    sign = -1.0 if arrays["maximise"] else 1.0
    return FileLP(
        cost=sign * arrays["cost"],
        maximise=bool(arrays["maximise"]),
        offset=float(arrays["offset"]),
        lower=arrays["lower"],
        upper=arrays["upper"],
        row_lower=arrays["row_lower"],
        row_upper=arrays["row_upper"],
        matrix=matrix,
        columns=arrays["columns"],
        rows=arrays["rows"],
    )


def unpacked(path: Path) -> bytes:
    """The bytes of the file as a text; InputError where there is none or it is damaged."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.name.endswith(".gz") else content
    except (OSError, EOFError, zlib.error) as damage:
        raise InputError(f"{path} cannot be read ({damage}): give an MPS or LP file") from damage


def _by_child(plain: Path, out: Path, path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", __name__, str(plain), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if done.returncode == _NO_HIGHSPY:
        raise InputError("MPS and LP files are read by HiGHS, which is missing: pip install highspy")
    if done.returncode:
        told = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()[-1]
        raise InstanceError(f"{path}: HiGHS cannot read it ({told})")
    with np.load(out, allow_pickle=False) as arrays:
        return dict(arrays)


def _main(plain: str, out: str) -> int:
    try:
        import highspy
    except ImportError:
        return _NO_HIGHSPY
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)  # noqa: FBT003 - HiGHS's signature
    if highs.readModel(plain) == highspy.HighsStatus.kError:
        sys.exit("no MPS or LP model that HiGHS knows")
    lp = highs.getLp()
    if highs.getModel().hessian_.dim_:
        sys.exit("its objective is quadratic")
    semi = (highspy.HighsVarType.kSemiContinuous, highspy.HighsVarType.kSemiInteger)
    names = list(lp.col_names_)
    for number, kind in enumerate(lp.integrality_):
        if kind in semi:
            sys.exit(f"column {names[number]} is semi-continuous, which no LP has")
    _write(lp, out, maximise=lp.sense_ == highspy.ObjSense.kMaximize)
    return 0


def _write(lp: Any, out: str, *, maximise: bool) -> None:
    np.savez(
        out,
        cost=np.array(lp.col_cost_, dtype=np.float64),
        maximise=maximise,
        offset=lp.offset_,
        lower=np.array(lp.col_lower_, dtype=np.float64),
        upper=np.array(lp.col_upper_, dtype=np.float64),
        row_lower=np.array(lp.row_lower_, dtype=np.float64),
        row_upper=np.array(lp.row_upper_, dtype=np.float64),
        start=np.array(lp.a_matrix_.start_),
        index=np.array(lp.a_matrix_.index_),
        value=np.array(lp.a_matrix_.value_, dtype=np.float64),
        columns=_names(lp.col_names_, lp.num_col_, "column"),
        rows=_names(lp.row_names_, lp.num_row_, "row"),
    )


def _names(names: Any, count: int, word: str) -> npt.NDArray[np.str_]:
    """Those of the file where it names each once, else numbers."""
    given = [str(name) for name in names]
    if len(set(given)) != count:
        given = [f"{word} {number}" for number in range(count)]
    return np.array(given, dtype=np.str_)


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
