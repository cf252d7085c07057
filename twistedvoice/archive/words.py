# -*- test-case-name: tests.archive.test_words -*-
"""Times, ages and sizes, as people write them and as they are told them."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime

__all__ = [
    "age",
    "clock",
    "moment",
    "precise",
    "several",
    "size",
    "size_told",
    "time_told",
]

_AGES = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_SIZES = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}


def age(text: str) -> float:
    """
    Read ``90m``, ``12h``, ``30d`` or ``4w``.

    :returns: seconds.
    :raises ArgumentTypeError: when it is nothing of this kind.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age; give 12h, 30d or 4w")
    return float(found[1]) * _AGES[found[2]]


def size(text: str) -> int:
    """
    Read ``500MB``, ``50GB`` or ``1.5TB``; a thousand bytes are a kilobyte.

    :raises ArgumentTypeError: when it is nothing of this kind.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)B?", text.upper())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give 500MB or 50GB")
    return int(float(found[1]) * _SIZES[found[2]])


def moment(text: str, now: float) -> float:
    """
    Read a day, a day and a time (in UTC unless it says otherwise), or an age.

    :returns: seconds since the epoch.
    :raises ArgumentTypeError: when it is nothing of this kind.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        try:
            return now - age(text)
        except argparse.ArgumentTypeError:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no time; give 2026-11-20, 2026-11-20T09:30 or 7d"
            ) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def clock(time_ms: float) -> str:
    """:returns: a length as ``1:02:03`` or ``2:03``."""
    minutes, seconds = divmod(round(time_ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
    )


def precise(time_ms: float) -> str:
    """:returns: a time on a recording, as ``2:03.250``."""
    minutes, rest = divmod(round(time_ms), 60_000)
    return f"{minutes}:{rest // 1000:02d}.{rest % 1000:03d}"


def time_told(seconds: float) -> str:
    """:returns: a time of day in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def several(count: int, noun: str) -> str:
    """:returns: how many there are, as ``1 recording`` or ``2 recordings``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def size_told(count: int) -> str:
    """:returns: bytes in words, as ``1.2 MB``."""
    for name, unit in reversed(_SIZES.items()):
        if name and count >= unit:
            return f"{count / unit:.1f} {name.replace('K', 'k')}B"
    return f"{count} B"
