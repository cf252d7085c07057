# -*- test-case-name: tests.outbox.test_outcome -*-
"""How an attempt at an errand ended, and when the next one is due.

Values and arithmetic only; :mod:`.outbox` makes the attempts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from attrs import frozen

from ..errands import Errand
from ..errors import ErrandPostponed, ErrandRefused, TwistedVoiceError

__all__ = ["MOST_ATTEMPTS", "Done", "Failed", "failed", "pause_seconds", "succeeded"]

#: With the pauses below, about two days.
MOST_ATTEMPTS = 60
_FIRST_PAUSE_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 3600.0
#: So much of a pause may be taken off, that many who failed together do not knock so.
_JITTER = 0.2
#: However long a server asks us to stay away.
_LONGEST_POSTPONED_SECONDS = 24 * 3600.0
_LONGEST_REASON = 300


@frozen
class Done:
    """It worked, and came back with this."""

    result: Mapping[str, object]


@frozen
class Failed:
    """It did not."""

    reason: str
    #: After how many seconds it is to be tried again; None for never.
    pause: float | None


def succeeded(result: Mapping[str, object]) -> Done:
    """:raises TypeError: when the result is no plain JSON, which is a bug."""
    json.dumps(dict(result))
    return Done(result)


def failed(errand: Errand, error: Exception, most: int, chance: float) -> Failed:
    """
    Decide what follows from an error.

    :param most: how often an errand may be begun.
    :param chance: anything from 0 to 1.
    """
    begun = errand.attempts + 1
    reason = _reason(error)[:_LONGEST_REASON]
    if isinstance(error, ErrandRefused) or begun >= most:
        return Failed(reason, None)
    pause = pause_seconds(begun, chance)
    if isinstance(error, ErrandPostponed):
        pause = max(pause, min(error.seconds, _LONGEST_POSTPONED_SECONDS))
    return Failed(reason, pause)


def pause_seconds(begun: int, chance: float) -> float:
    """:returns: the pause after so many attempts: doubled each time, up to an hour."""
    # The power alone would be out of range for floats some day.
    doubled = _FIRST_PAUSE_SECONDS * 2.0 ** min(begun - 1, 16)
    return min(doubled, _LONGEST_PAUSE_SECONDS) * (1 - _JITTER * chance)


def _reason(error: Exception) -> str:
    text = str(error)
    if isinstance(error, TwistedVoiceError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
