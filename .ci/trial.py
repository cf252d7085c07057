# -*- test-case-name: tests.test_ci -*-
"""Runs a command line that ends with trial, and counts what it did.

``python3 .ci/trial.py COMMAND`` shows what the command writes, then ``N passed, N
failed`` alone on a line. It ends with 1 when a test failed, and also when none ran, or
trial did not get to its end: trial itself takes an empty folder for a success, and with
workers never returns from it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from threading import Timer

__all__ = ["judge", "run"]

_SUMMARY = re.compile(
    r"^(?:PASSED|FAILED)(?: \((?P<counts>[\w=, ]*)\))?$", re.MULTILINE
)
_PASSED = ("successes", "expectedFailures")
_FAILED = ("failures", "errors", "unexpectedSuccesses")
#: How long trial may take to end after its summary.
_END_SECONDS = 10.0


def run(command: str, end_seconds: float = _END_SECONDS) -> tuple[str, int]:
    """
    Run ``command`` in bash, and show what it writes.

    :returns: all that it wrote, and its exit status.
    """
    process = subprocess.Popen(  # noqa: S603 - the command is ours
        ["bash", "-c", command],  # noqa: S607
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert process.stdout is not None
    lines = []
    killer: Timer | None = None
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        lines.append(line)
        if killer is None and _SUMMARY.match(line):
            killer = Timer(end_seconds, os.killpg, (process.pid, signal.SIGKILL))
            killer.start()
    if killer is not None:
        killer.cancel()
    return "".join(lines), process.wait()


def judge(output: str) -> tuple[str, int]:
    """:returns: the line to print, and the status to end with."""
    found = _counts(output)
    passed = sum(found.get(name, 0) for name in _PASSED)
    failed = sum(found.get(name, 0) for name in _FAILED)
    line = f"{passed} passed, {failed} failed"
    if found.get("skips"):
        line += f", {found['skips']} skipped"
    return line, 0 if passed and not failed else 1


def _counts(output: str) -> dict[str, int]:
    summaries = list(_SUMMARY.finditer(output))
    said = summaries[-1]["counts"] if summaries else None
    pairs = (pair.split("=") for pair in said.split(", ")) if said else ()
    return {name: int(count) for name, count in pairs}


if __name__ == "__main__":
    # Tests press Ctrl-C, which is ignored by what was started in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    output, ended = run(sys.argv[1])
    line, status = judge(output)
    sys.stdout.write(f"{line}\n")
    sys.exit(status or ended)
