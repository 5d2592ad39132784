"""CPUs that this process may use: its affinity, and the quotas of cgroups of both versions as the kernel shows them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from instances.cpus import affinity, cpu_quota, times_throttled, usable_threads

ROOT = Path(__file__).resolve().parents[2]
V2 = "31 23 0:27 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate"
V1 = "33 24 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct"
DOCKER_V1 = "33 24 0:29 /docker/ab /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct"
SPACES = r"31 23 0:27 / /my\040groups rw - cgroup2 none rw"


def system(root: Path, mounts: str, groups: str, files: dict[str, str]) -> Path:
    """A file system as this process would see it."""
    facts = {
        "proc/self/mountinfo": f"22 1 0:1 / / rw - overlay overlay rw\n{mounts}\n",
        "proc/self/cgroup": f"{groups}\n",
    }
    for name, content in (facts | files).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize(
    ("mounts", "groups", "files", "quota"),
    [
        (V2, "0::/", {}, None),
        (V2, "0::/", {"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),  # a container with a namespace of its own
        (V2, "0::/", {"sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        (V2, "0::/user.slice/a.scope", {"sys/fs/cgroup/user.slice/a.scope/cpu.max": "50000 100000\n"}, 0.5),
        (
            V2,
            "0::/user.slice/a.scope",
            {
                "sys/fs/cgroup/user.slice/a.scope/cpu.max": "max 100000\n",
                "sys/fs/cgroup/user.slice/cpu.max": "25000 100000\n",
            },
            0.25,
        ),
        (
            V2,
            "0::/user.slice/a.scope",
            {
                "sys/fs/cgroup/user.slice/a.scope/cpu.max": "100000 100000\n",
                "sys/fs/cgroup/user.slice/cpu.max": "600000 100000\n",
            },
            1.0,
        ),
        (V2, "0::/mine", {"sys/fs/cgroup/yours/cpu.max": "50000 100000\n"}, None),
        (V2, "0::/../../mine", {"sys/fs/cgroup/cpu.max": "50000 100000\n"}, 0.5),
        (SPACES, "0::/a b", {"my groups/a b/cpu.max": "50000 100000\n"}, 0.5),
        (
            V1,
            "4:cpu,cpuacct:/mine\n0::/",
            {
                "sys/fs/cgroup/cpu,cpuacct/mine/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu,cpuacct/mine/cpu.cfs_period_us": "100000\n",
            },
            0.5,
        ),
        (
            V1,
            "4:cpu,cpuacct:/mine/below\n0::/",
            {
                "sys/fs/cgroup/cpu,cpuacct/mine/below/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu,cpuacct/mine/below/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/cpu,cpuacct/mine/cpu.cfs_quota_us": "300000\n",
                "sys/fs/cgroup/cpu,cpuacct/mine/cpu.cfs_period_us": "200000\n",
            },
            1.5,
        ),
        (
            DOCKER_V1,
            "4:cpu,cpuacct:/docker/ab",
            {
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            0.5,
        ),
        (f"{V1}\n{V2}", "4:cpu,cpuacct:/\n0::/mine", {"sys/fs/cgroup/mine/cpu.max": "70000 100000\n"}, 0.7),
        (V2, "0::/", {"sys/fs/cgroup/cpu.max": "no numbers\n"}, None),
        (V2, "0::/", {"sys/fs/cgroup/cpu.max": "0 0\n"}, None),
        (V2, "not a line of cgroup", {"sys/fs/cgroup/cpu.max": "50000 100000\n"}, None),
        ("too short", "0::/", {}, None),
    ],
)
def test_the_tightest_quota_from_our_group_up_to_the_mount_counts(
    tmp_path: Path, mounts: str, groups: str, files: dict[str, str], quota: float | None
) -> None:
    root = system(tmp_path, mounts, groups, files)
    assert cpu_quota(root) == (None if quota is None else pytest.approx(quota))
    least = affinity() if quota is None else max(1, -int(-quota // 1))
    assert usable_threads(root) == min(affinity(), least)


def test_a_system_that_shows_nothing_has_no_quota(tmp_path: Path) -> None:
    assert (cpu_quota(tmp_path), times_throttled(tmp_path)) == (None, None)
    assert usable_threads(tmp_path) == affinity()


def test_groups_with_a_quota_say_how_often_they_were_stopped(tmp_path: Path) -> None:
    stat = "nr_periods 152\nnr_throttled {}\nthrottled_usec 9\n"
    root = system(
        tmp_path,
        V2,
        "0::/a/b",
        {
            "sys/fs/cgroup/a/b/cpu.max": "50000 100000\n",
            "sys/fs/cgroup/a/b/cpu.stat": stat.format(7),
            "sys/fs/cgroup/a/cpu.max": "80000 100000\n",
            "sys/fs/cgroup/a/cpu.stat": stat.format(2),
            "sys/fs/cgroup/cpu.stat": stat.format(1000),  # nobody limits this one
        },
    )
    assert times_throttled(root) == 9


@pytest.fixture
def tenth_of_a_cpu() -> Iterator[Path]:
    """A group of the kernel with a quota of a tenth of a CPU, of the version that this machine has."""
    group = None
    for mount, files in (
        (Path("/sys/fs/cgroup/cpu"), {"cpu.cfs_quota_us": "10000", "cpu.cfs_period_us": "100000"}),
        (Path("/sys/fs/cgroup"), {"cpu.max": "10000 100000"}),
    ):
        made = mount / f"dualbench-test-{os.getpid()}"
        try:
            made.mkdir()
            group = made
            for name, content in files.items():
                (made / name).write_text(content)
            break
        except OSError:
            if group is not None:
                group.rmdir()
                group = None
    if group is None:
        pytest.skip("no cgroup with a CPU quota can be made here")
    yield group
    group.rmdir()


def test_a_quota_of_the_kernel_is_seen_and_counted(tenth_of_a_cpu: Path) -> None:
    program = (
        "import sys, time\n"
        "from harness.disturbance import between, marks, read\n"
        "from harness.environment import environment\n"
        "from instances.cpus import cpu_quota, usable_threads\n"
        f"open({str(tenth_of_a_cpu / 'cgroup.procs')!r}, 'w').write('0')\n"
        "before, until = read(), time.monotonic() + 0.6\n"
        "while time.monotonic() < until: pass\n"
        "print('CPU quota' in marks(between(before, read())))\n"
        "print(cpu_quota(), usable_threads(), environment()['cpu_quota'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "0.1", "1", "0.1"]
