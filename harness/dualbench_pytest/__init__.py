"""The pytest plugin: `pytest tests/benchmarks --dualbench-suite smoke --benchmark-json out.json`.

pytest loads it wherever dualbench is installed, also for projects that have nothing to do with it. So it imports
nothing but pytest until its option is given, is installed under a top-level name of its own (a project's own `harness`
may lie in front of ours), and leaves `--suite`, its short form, to a project that has an option of that name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

OPTION = "--dualbench-suite"
SHORT = "--suite"
FIXTURE = "dualbench_case"
_CASES = pytest.StashKey[list[Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    _add(parser, OPTION, "collect only the cases of this dualbench suite (a name or a .toml file), as benchmarks")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Iterator[None]:
    """The short form, once every plugin and conftest.py of the project has added its options."""
    yield
    if _is_free(parser, SHORT):
        _add(parser, SHORT, f"the same as {OPTION}")


def pytest_sessionstart(session: pytest.Session) -> None:
    """The cases of the suite, read before anything is collected."""
    config = session.config
    name = config.option.dualbench_suite
    if name and not config.pluginmanager.hasplugin("benchmark"):
        raise pytest.UsageError(f"{OPTION} needs pytest-benchmark: leave out -p no:benchmark, or install it")
    config.stash[_CASES] = _ours().cases(name) if name else []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a case of the suite; without the option a single skipped one."""
    if FIXTURE not in metafunc.fixturenames:
        return
    cases = metafunc.config.stash[_CASES]
    if not metafunc.config.option.dualbench_suite:
        skip = pytest.mark.skip(reason=f"give {OPTION} NAME")
        cases = [pytest.param(None, marks=skip, id="no-suite")]
    metafunc.parametrize(FIXTURE, cases, ids=lambda case: case.id)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With the option given, tests that take no case of the suite are left out."""
    if not config.option.dualbench_suite:
        return
    wanted = [item for item in items if FIXTURE in getattr(item, "fixturenames", ())]
    if items and not wanted:
        raise pytest.UsageError(f"{OPTION}: no test here takes the fixture {FIXTURE}; see harness.pytest_plugin")
    config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
    items[:] = wanted


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Our environment row, without the clock frequency that changes from second to second."""
    if config.option.dualbench_suite:
        for name in ("hz_actual", "hz_actual_friendly"):
            machine_info.get("cpu", {}).pop(name, None)
        machine_info["dualbench"] = _ours().environment()


def _add(parser: pytest.Parser, option: str, text: str) -> None:
    parser.getgroup("dualbench").addoption(option, dest="dualbench_suite", metavar="NAME", help=text)


def _is_free(parser: pytest.Parser, option: str) -> bool:
    """Whether nobody has added `option`; asked by parsing it, as pytest 8 tells of a conflict too late to be caught."""
    try:
        unknown = parser.parse_known_and_unknown_args([f"{option}=x"])[1]
    except (pytest.UsageError, SystemExit):  # somebody's option, which does not take "x"
        return False
    return bool(unknown)


def _ours() -> Any:
    """harness.pytest_plugin, which is loaded only where a suite is run."""
    try:
        from harness import pytest_plugin
    except ImportError as error:
        text = (
            f"{OPTION}: dualbench cannot be loaded ({error}); a folder called harness, instances or solvers hides it?"
        )
        raise pytest.UsageError(f"{text} Use `pytest --import-mode=importlib`, or another folder") from error
    return pytest_plugin
