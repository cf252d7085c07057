# -*- test-case-name: tests.bench.test_server -*-
"""A contender as a child process, for one run: started, asked, and gone afterwards.

It is not on this process's reactor: the load test has none, since nothing here is done
at a time. What the child logs goes into a file, and is shown when it fails.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import BenchError
from ..simulator.service import DRAIN_SECONDS, START_SECONDS, child_environ
from .contender import CHILD, RECORDS, Contender
from .machine import Usage, usage

__all__ = ["RunningServer", "environ", "running"]

_LISTENS = re.compile(r"taking calls on 127\.0\.0\.1:(\d+)")
_ASK_EVERY_SECONDS = 0.05
_LINES_SHOWN = 15


class RunningServer:
    """A child process that takes calls."""

    def __init__(
        self,
        contender: Contender,
        folder: Path,
        of: Sequence[int],
        accounts: Mapping[str, str],
    ) -> None:
        """
        :param of: the cores that it may use.
        :param accounts: settings of the services elsewhere that it talks with.
        """
        self.contender = contender
        self._log = folder / "log"
        self._records = folder / RECORDS
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                contender.command(folder, accounts),
                env=environ(os.environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        # At once, before it has threads.
        os.sched_setaffinity(self._process.pid, of)
        self.port = 0

    def wait_until_up(self) -> None:
        """:raises BenchError: when it ends instead, or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while not self.port:
            found = _LISTENS.search(self._log.read_text("utf-8"))
            if found is not None:
                self.port = int(found[1])
            elif self._process.poll() is not None or time.monotonic() > deadline:
                raise self.failed("did not start")
            else:
                time.sleep(_ASK_EVERY_SECONDS)

    def usage(self) -> Usage:
        """:raises BenchError: when it has ended."""
        if self._process.poll() is not None:
            raise self.failed("ended by itself")
        return usage(self._process.pid)

    def ask(self) -> Mapping[str, int]:
        """:returns: what its meter says, when it was started with one."""
        question, answer = self._process.stdin, self._process.stdout
        assert question is not None and answer is not None
        question.write(b"?\n")
        question.flush()
        line = answer.readline()
        if not line:
            raise self.failed("has no meter")
        answered: Mapping[str, int] = json.loads(line)
        return answered

    def unrecorded(self) -> int:
        """:returns: of the calls on record, how many recordings are not whole."""
        if not self._records.exists():  # it keeps none
            return 0
        lines = self._records.read_text("utf-8").splitlines()
        recordings = [json.loads(line).get("recording", {}) for line in lines]
        return sum(each.get("degraded", False) for each in recordings)

    def stop(self) -> None:
        """End it, politely at first; again is nothing new."""
        self._process.terminate()
        try:
            self._process.wait(DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def failed(self, what: str) -> BenchError:
        """:returns: an error that shows the end of its log."""
        lines = self._log.read_text("utf-8", "replace").splitlines()[-_LINES_SHOWN:]
        return BenchError("\n".join([f"the {self.contender.name} {what}:", *lines]))


@contextmanager
def running(
    contender: Contender, of: Sequence[int], others: Sequence[int] = ()
) -> Iterator[RunningServer]:
    """
    Run a contender on some cores, with a folder that is gone afterwards.

    :param others: the cores of what plays the services elsewhere, if it needs some.
    """
    with (
        TemporaryDirectory(
            prefix="twistedvoice-bench-", ignore_cleanup_errors=True
        ) as folder,
        _playing(contender.double, others) as accounts,
    ):
        server = RunningServer(contender, Path(folder), of, accounts)
        try:
            server.wait_until_up()
            yield server
        finally:
            server.stop()


@contextmanager
def _playing(agent: str, of: Sequence[int]) -> Iterator[Mapping[str, str]]:
    """:returns: the settings of the accounts of an agent, while they are played."""
    if not agent:
        yield {}
        return
    command = [*CHILD, "double", agent]
    with subprocess.Popen(  # noqa: S603
        command, env=environ(os.environ), stdout=subprocess.PIPE
    ) as process:
        os.sched_setaffinity(process.pid, of)
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise BenchError(f"the double of {agent} did not start")
            yield json.loads(line)
        finally:
            process.terminate()


def environ(ours: Mapping[str, str]) -> dict[str, str]:
    """:returns: for a child: this package can be found, and nothing is set."""
    theirs = child_environ(ours, "")
    del theirs["TWISTEDVOICE_AUTH_TOKEN"]
    return theirs
