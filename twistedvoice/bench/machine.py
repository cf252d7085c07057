# -*- test-case-name: tests.bench.test_machine -*-
"""What the machine tells of itself in /proc: cores, stolen time, what a process used.

Also who runs where: the service has a core of its own, so that what it can do with one
core is measured and not how well the system shares.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from attrs import frozen

__all__ = ["Cores", "Usage", "cores", "describe", "stolen_seconds", "usage"]

_PROC = Path("/proc")
#: The place of the stolen time in a line of /proc/stat, after the name of the core.
_STEAL = 7


@frozen(kw_only=True)
class Cores:
    """Which cores the two sides have."""

    service: tuple[int, ...]
    generators: tuple[int, ...]

    @property
    def shared(self) -> bool:
        """Whether the two sides are in each other's way."""
        return bool(set(self.service) & set(self.generators))


def cores(
    available: Sequence[int],
    service: Sequence[int] = (),
    generators: Sequence[int] = (),
) -> Cores:
    """
    Share out the cores: the last is the service's, unless it is said otherwise.

    :param service: what was asked for, empty for the usual.
    """
    own = tuple(service) or (max(available),)
    others = tuple(core for core in available if core not in own)
    return Cores(service=own, generators=tuple(generators) or others or own)


@frozen(kw_only=True)
class Usage:
    """What a process and its children have used so far."""

    cpu_seconds: float
    rss_kib: int


def usage(pid: int, proc: Path = _PROC) -> Usage:
    """:returns: what it has used; what cannot be read any more is left out."""
    seconds, rss = 0.0, 0
    for each in _family(pid, proc):
        # Something may end while it is looked at.
        with suppress(OSError, ValueError):
            seconds += sum(_thread_seconds(proc / str(each) / "task"))
            rss += _resident_kib(proc / str(each) / "status")
    return Usage(cpu_seconds=seconds, rss_kib=rss)


def _family(pid: int, proc: Path) -> Iterator[int]:
    """:returns: the process and all that descend from it."""
    yield pid
    with suppress(OSError):
        for children in proc.glob(f"{pid}/task/*/children"):
            for child in children.read_text("ascii").split():
                yield from _family(int(child), proc)


def _thread_seconds(tasks: Path) -> Iterator[float]:
    # By the nanosecond; the usual figures are by the hundredth of a second.
    for file in tasks.glob("*/schedstat"):
        yield int(file.read_text("ascii").split()[0]) / 1e9


def _resident_kib(status: Path) -> int:
    for line in status.read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def stolen_seconds(of: Sequence[int], proc: Path = _PROC) -> float:
    """:returns: how long the host has kept these cores from this machine so far."""
    ticks = 0
    for line in (proc / "stat").read_text("ascii").splitlines():
        name, *numbers = line.split()
        if name in {f"cpu{core}" for core in of}:
            ticks += int(numbers[_STEAL])
    return ticks / os.sysconf("SC_CLK_TCK")


def describe() -> str:
    """:returns: the machine and the versions, for beside the figures."""
    packages = ("autobahn", "twisted", "numpy")
    return ", ".join(
        [
            f"{os.cpu_count()} cores of {_processor()}",
            f"Linux {platform.release()}",
            f"Python {platform.python_version()}",
            *(f"{name} {version(name)}" for name in packages),
        ]
    )


def _processor() -> str:
    with suppress(OSError):
        for line in (_PROC / "cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
