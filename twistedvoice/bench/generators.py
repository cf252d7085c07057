# -*- test-case-name: tests.bench.test_generators -*-
"""The processes that make the calls of one run, each on its own core, if it can."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from operator import add

from attrs import evolve

from ..errors import BenchError
from .server import environ
from .tally import Job, Tally

__all__ = ["Generators", "generating", "shared_out"]

#: More calls than these are shared out, if there are cores.
_CALLS_EACH = 400
#: How long after the end of its job a generator is waited for.
_PATIENCE_SECONDS = 30.0
_COMMAND = (sys.executable, "-P", "-m", "twistedvoice.bench.generator")


def shared_out(job: Job, cores: int) -> list[Job]:
    """:returns: a job for each generator; every so many calls go to the same one."""
    count = max(1, min(cores, len(job.indices) // _CALLS_EACH))
    return [evolve(job, indices=job.indices[part::count]) for part in range(count)]


class Generators:
    """Generators at work on one job."""

    def __init__(self, job: Job, cores: Sequence[int]) -> None:
        self._end_ns = job.to_ns
        self._processes: list[subprocess.Popen[bytes]] = []
        for core, part in zip(cores, shared_out(job, len(cores)), strict=False):
            process = subprocess.Popen(  # noqa: S603
                _COMMAND,
                env=environ(os.environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            os.sched_setaffinity(process.pid, (core,))
            self._processes.append(process)
            assert process.stdin is not None
            process.stdin.write(part.to_json())
            process.stdin.flush()

    def tally(self) -> Tally:
        """
        Wait for them.

        :returns: what all of them counted.
        :raises BenchError: when one failed.
        """
        outputs = [self._finished(process) for process in self._processes]
        return reduce(add, map(Tally.from_bytes, outputs))

    def _finished(self, process: subprocess.Popen[bytes]) -> bytes:
        left = (self._end_ns - time.monotonic_ns()) / 1e9 + _PATIENCE_SECONDS
        try:
            output, errors = process.communicate(timeout=left)
        except subprocess.TimeoutExpired as error:
            raise BenchError("a generator did not come to its end") from error
        if process.returncode:
            told = errors.decode("utf-8", "replace")
            raise BenchError(f"a generator failed:\n{told}")
        return output

    def stop(self) -> None:
        """End those that are still there."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.communicate()


@contextmanager
def generating(job: Job, cores: Sequence[int]) -> Iterator[Generators]:
    """Let generators work, and have none left afterwards."""
    generators = Generators(job, cores)
    try:
        yield generators
    finally:
        generators.stop()
