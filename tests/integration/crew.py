"""A service of several workers: which of them did what, and how each of them is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.integration.process import Service

__all__ = ["counts", "is_running", "pids", "workers_of"]


async def counts(service: Service, sample: str, *labels: str) -> dict[str, float]:
    """
    :param labels: labels besides the worker's, as they stand on the page.
    :returns: the samples of this name and these labels, by worker.
    """
    _, page = await service.get("/metrics", admin=True)
    pattern = re.escape(sample) + r'\{worker="(w\d+)"([^}]*)\} (\S+)'
    return {
        worker: float(value)
        for worker, rest, value in re.findall(pattern, page)
        if all(label in rest for label in labels)
    }


def workers_of(service: Service) -> dict[str, int]:
    """:returns: the process ids of its workers, by name."""
    transport = service.process.transport
    assert transport is not None and transport.pid is not None
    found = {}
    for pid in pids(transport.pid):
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        node = next((word for word in words if word.startswith("--node-id=")), "-")
        found[node.rpartition("-")[2]] = pid
    return found


def pids(parent: int) -> Sequence[int]:
    """:returns: the children of a process."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(pid) for pid in children.split()]


def is_running(pid: int) -> bool:
    """:returns: whether there is such a process, and not only its remains."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
