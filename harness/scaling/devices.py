"""The devices that `dualbench plan` knows; their figures are part of a model, and say where they are from."""

from __future__ import annotations

from dataclasses import dataclass

from instances import InputError


@dataclass(frozen=True, kw_only=True)
class Device:
    """One device for each rank."""

    name: str
    """As the command line names it."""

    memory: float
    """Bytes."""

    speed: float
    """Bytes a second that passes reach."""

    latency: float
    """Seconds of a step of a collective, as in harness.scaling.model.Speeds."""

    link: float
    """Bytes a second between devices, as in harness.scaling.model.Speeds."""

    host_link: float
    """Bytes a second from the memory of the host, while as many go back."""

    source: str
    """Where the figures are from; none of the links is measured here."""


DEVICES = {
    device.name: device
    for device in (
        Device(
            name="h200", memory=139 * 2**30, speed=4.3e12, latency=1e-5, link=5e10, host_link=5e10,
            source="copy of 4.3 TB/s measured; link of 400 Gb/s a device and 10 us a step assumed",
        ),
        Device(
            name="h100", memory=79 * 2**30, speed=3.0e12, latency=1e-5, link=5e10, host_link=5e10,
            source="90 % of the vendor's 3.35 TB/s; link of 400 Gb/s a device and 10 us a step assumed",
        ),
        Device(
            name="a100", memory=79 * 2**30, speed=1.8e12, latency=1e-5, link=2.5e10, host_link=2.5e10,
            source="90 % of the vendor's 2.0 TB/s; link of 200 Gb/s a device and 10 us a step assumed",
        ),
    )
}  # fmt: skip


def named_device(name: str) -> Device:
    if name not in DEVICES:
        raise InputError(f"unknown device {name!r}: use cpu or one of {', '.join(DEVICES)}")
    return DEVICES[name]
