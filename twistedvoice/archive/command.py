# -*- test-case-name: tests.archive.test_command -*-
"""``twistedvoice recordings``: what people do with a folder of recordings.

The group and its words; each command is a module of its own, which adds itself here and
turns an outcome into sentences and an exit status. None needs a running service or its
configuration, and none harms one that runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

from . import decrypting, exporting, listing, purging, recovering, showing, verifying

__all__ = ["recordings"]


def recordings(words: Sequence[str], *, wall: Callable[[], float] = time.time) -> int:
    """
    Run one command of the group.

    :param wall: seconds since the epoch.
    :returns: the exit status: 1 when something is not as it should be.
    :raises ArchiveError: when what was asked for is not there.
    """
    parser = argparse.ArgumentParser("twistedvoice recordings")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for each in (
        listing,
        showing,
        verifying,
        recovering,
        decrypting,
        exporting,
        purging,
    ):
        each.add(commands, wall)
    said = parser.parse_args(words)
    status: int = said.run(said)
    return status
