"""The commands `dualbench scale` and `dualbench plan`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from instances.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from harness.scaling.plan import Plan, Streamed
    from harness.scaling.sharded import ShardedCase
    from instances import Spec

_NOT_SOLVED = 1
_FAULT = 3


@click.command()
@click.argument("spec")
@click.option("--mode", type=click.Choice(["strong", "weak"]), default="strong", show_default=True)
@click.option("--ranks", default="1,2", show_default=True, metavar="N,N,...", help="Numbers of ranks to run.")
@click.option("--solver", default="blockpdhg", show_default=True, metavar="ID")
@click.option("--tolerance", type=float, default=1e-4, show_default=True, metavar="T")
@click.option("--time-limit", type=float, metavar="S")
@click.option("--iterations", type=click.IntRange(min=2), metavar="N", help="End after so many iterations.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Of each rank.")
@click.option("--device", default="cpu", show_default=True, metavar="D", help="cpu or cuda.")
@click.option("--dtype", default="float32", show_default=True, metavar="TYPE")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the solver; repeatable.")
@click.option("--wire", type=click.Choice(["auto", "float32", "float64"]), default="auto", show_default=True)
@click.option("--checkpoint", type=click.Path(path_type=Path), metavar="DIR", help="Keep checkpoints in this folder.")
@click.option("--checkpoint-every", type=float, metavar="S", help="Default 300, or less than 2 % of the run.")
@click.option("--resume", is_flag=True, help="Go on from the newest checkpoint, with any number of ranks.")
@click.option("--max-restarts", type=click.IntRange(min=0), default=0, show_default=True, help="When a rank dies.")
@click.option("--timeout", type=float, default=300.0, show_default=True, metavar="S", help="Of every collective.")
@click.option("--keep-x", is_flag=True, help="Keep every x beside the duals: `verify` derives from it.")
@click.option("--no-probe", is_flag=True, help="Leave out what the model needs.")
@click.option("--strict", is_flag=True, help="Exit with 1 where a run was not solved.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder for the records.")
def scale(
    spec: str, mode: str, ranks: str, max_restarts: int, out: Path, *, strict: bool, keep_x: bool, **chosen: Any
) -> int:
    """Solve SPEC on several numbers of ranks and record how the time per iteration scales.

    Starts the ranks on this machine. Under torchrun it joins that rendezvous instead, with its number of ranks:
    torchrun --nnodes=2 --nproc-per-node=1 --rdzv-backend=c10d --rdzv-endpoint=HOST:29400 --no-python dualbench scale
    SPEC --out DIR on each machine.
    """
    from harness.display import wide_console
    from harness.scaling.series import Series, run_series
    from solvers.engine.collectives import launched

    case = _case(spec, **chosen)
    counts = _counts(ranks)
    if launched():
        return _join(case, mode, out, strict=strict, keep_x=keep_x)
    series = Series(case=case, mode=mode, ranks=counts, max_restarts=max_restarts, keep_x=keep_x)
    console = wide_console()
    solved = True
    for row in run_series(series, out):
        _show(console, row)
        solved = solved and row["status"] == "solved"
    console.print(f"records  {out / 'records.jsonl'}")
    return _NOT_SOLVED if strict and not solved else 0


@click.command()
@click.argument("spec")
@click.option("--device", default="h200", show_default=True, metavar="D", help="h200, h100, a100, or cpu: measured.")
@click.option("--ranks", type=click.IntRange(min=1), default=1, show_default=True, metavar="N")
@click.option("--find-ranks", is_flag=True, help="Take the least number of devices that hold the instance.")
@click.option("--solver", default="blockpdhg", show_default=True, metavar="ID")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Of each rank, on cpu.")
@click.option("--iterations", type=click.IntRange(min=1), metavar="N", help="To the gap of 1e-4, where you know it.")
@click.option("--disk-speed", type=click.FloatRange(min=0, min_open=True), metavar="GB/S", help="Default: measured.")
@click.option("--host-speed", type=click.FloatRange(min=0, min_open=True), metavar="GB/S", help="Default: assumed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def plan(spec: str, *, find_ranks: bool, as_json: bool, **chosen: Any) -> None:
    """Memory and time that SPEC needs on N devices, by the model; nothing is generated."""
    from dataclasses import asdict

    from harness.scaling.plan import least_ranks
    from harness.scaling.plan import plan as make_plan
    from instances import named_instances, parse_spec

    parsed = parse_spec(named_instances().get(spec, spec))
    solver = chosen["solver"]
    device = chosen["device"]
    if find_ranks and device == "cpu":
        raise InputError("--find-ranks needs a device of a known size: give --device h200, or cpu with --ranks")
    if find_ranks:
        chosen["ranks"] = least_ranks(parsed, solver=solver, device=device)
    for name in ("disk_speed", "host_speed"):
        chosen[name] = None if chosen[name] is None else 1e9 * chosen[name]

    planned = make_plan(parsed, **chosen)
    if as_json:
        click.echo(json.dumps(asdict(planned)))
        return
    _show_plan(planned, parsed, solver=solver, device=device)
    if not planned.fits and device != "cpu":
        click.echo(f"needs        {least_ranks(parsed, solver=solver, device=device):,} devices")
    if planned.streamed is not None:
        _show_streamed(planned.streamed)
    click.echo(f"iteration    {planned.per_iteration:.3g} s (model)")
    gap = "unknown: give --iterations" if planned.to_gap is None else f"{planned.to_gap:.3g} s (model)"
    click.echo(f"to gap 1e-4  {gap}\nmodel of     {planned.source}")


def _show_plan(planned: Plan, spec: Spec, *, solver: str, device: str) -> None:
    memory = f"{planned.host_bytes / 2**30:.3g} GiB of each rank's host"
    if device != "cpu":
        memory += f", {planned.device_bytes / 2**30:.3g} GiB on each device"
    click.echo(f"{spec.text}\n{planned.ranks:,} x {device}, {solver}: {planned.edges_of_rank:,} edges a rank")
    click.echo(f"memory       {memory}: {_fits(planned.fits, device)}")


def _show_streamed(streamed: Streamed) -> None:
    needs = f"{streamed.host_bytes / 2**30:.3g} GiB of each rank's host"
    place = "this machine"
    if streamed.place == "disk":
        needs += f" and {streamed.disk_bytes / 2**30:.3g} GiB of disk"
    else:
        needs = f"{needs}, {streamed.device_bytes / 2**30:.3g} GiB on each device"
        place = "one device"
    fits = f"fits {place}" if streamed.fits else f"does not fit {place} either"
    click.echo(f"from {streamed.place}    {needs}, at {streamed.link_speed / 1e9:.3g} GB/s: {fits}")


def _fits(fits: bool, device: str) -> str:  # noqa: FBT001 - one word for each of two cases
    where = "the free memory of this machine" if device == "cpu" else f"one {device}"
    return f"fits {where}" if fits else f"does not fit {where}"


def _case(spec: str, **chosen: Any) -> ShardedCase:
    from harness.scaling.sharded import ShardedCase
    from instances import named_instances, parse_spec
    from solvers import Settings

    checkpoint = chosen["checkpoint"]
    if chosen["resume"] and checkpoint is None:
        raise InputError("--resume needs --checkpoint: say which folder to go on from")
    settings = {name: chosen[name] for name in ("tolerance", "time_limit", "threads", "device", "dtype")}
    return ShardedCase(
        spec=parse_spec(named_instances().get(spec, spec)).text,
        solver=chosen["solver"],
        settings=Settings(
            **settings, iteration_limit=chosen["iterations"], options=dict(map(_option, chosen["options"]))
        ),
        ranks=1,
        wire=chosen["wire"],
        checkpoint=None if checkpoint is None else str(checkpoint.absolute()),
        every=chosen["checkpoint_every"],
        resume=chosen["resume"],
        timeout=chosen["timeout"],
        probe=not chosen["no_probe"],
    )


def _option(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--option {text!r}: write NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _counts(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--ranks {text!r}: write whole numbers such as 1,2,4") from None


def _join(case: ShardedCase, mode: str, out: Path, *, strict: bool, keep_x: bool) -> int:
    """Be one rank of a rendezvous that exists; rank 0 writes the record."""
    from harness.display import wide_console
    from harness.scaling.series import record_joined

    row = record_joined(case, mode, out, keep_x=keep_x)
    if row is None:
        return 0
    if row["status"] == "crashed":
        click.echo(f"dualbench: {row['reason']}", err=True)
        os._exit(_FAULT)  # the threads of a lost group may never end
    _show(wide_console(), row)
    return _NOT_SOLVED if strict and row["status"] != "solved" else 0


def _show(console: Console, row: Mapping[str, Any]) -> None:
    from harness.texts import plain_text

    seconds = row.get("seconds") or {}
    ranks = f"{row['ranks']:5} ranks  {row['status']:<16}"
    if not seconds:
        console.print(f"{ranks}{plain_text(row['reason'])}", soft_wrap=True)
        return
    efficiency = row["efficiency"]
    model = row["model"]
    shown = (
        "cores shared: no efficiency"
        if row["shared"]
        else f"efficiency {efficiency['value']:.2f}"
        if efficiency
        else ""
    )
    predicted = f"   model {model['per_iteration']:.3g} s ({100 * model['error']:+.0f} %)" if model else ""
    each = "-" if seconds["per_iteration"] is None else f"{seconds['per_iteration']:.3g}"
    console.print(
        f"{ranks}{row['iterations']} iterations of {each} s   run {seconds['run']:.3g} s   {shown}{predicted}",
        soft_wrap=True,
    )
    for note in filter(None, (row["reason"], *row["notes"])):
        console.print(f"             {plain_text(note)}", style="yellow", soft_wrap=True)


COMMANDS = (scale, plan)
