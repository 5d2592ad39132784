"""`dualbench new-solver NAME`: a working adapter to fill in, and its test."""

from __future__ import annotations

import re
from pathlib import Path

from instances import InputError

_TEMPLATE = "subgradient"


def write_solver(name: str, out: Path) -> tuple[Path, Path]:
    """Write OUT/name.py and OUT/test_name.py, both working as written; refuses to overwrite."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise InputError(f"solver name {name!r}: expected lower-case words joined by hyphens, such as my-solver")
    module = name.replace("-", "_")
    paths = out / f"{module}.py", out / f"test_{module}.py"
    for path in paths:
        if path.exists():
            raise InputError(f"{path} exists: choose another name or another --out")
    out.mkdir(parents=True, exist_ok=True)
    for path, source in zip(paths, (f"{_TEMPLATE}.py", f"test_{_TEMPLATE}.py"), strict=True):
        path.write_text(_filled_in(source, name, module))
    return paths


def _filled_in(source: str, name: str, module: str) -> str:
    text = (Path(__file__).parent / "template" / source).read_text()
    text = text.replace(f'id = "{_TEMPLATE}"', f'id = "{name}"').replace(f'"{_TEMPLATE}.py"', f'"{module}.py"')
    return text.replace(_TEMPLATE.capitalize(), "".join(word.capitalize() for word in name.split("-")))
