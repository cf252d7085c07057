# -*- test-case-name: tests.realtime.test_stream -*-
"""What the tick leaves behind for others to see.

The tick only sets these; it knows no one who reads them. The flag watcher reads them
from a reactor callback of its own.
"""

from __future__ import annotations

from attrs import define

__all__ = ["Flags"]


@define
class Flags:
    """The flags of one stream; times are on the schedule's clock, in microseconds."""

    #: When the first frame was written on the open, unpaused transport.
    first_audio_sent_us: int | None = None
    #: Since when frames wait because the peer reads too slowly.
    stalled_since_us: int | None = None
    #: What a tick of this stream raised; the stream is off the schedule then.
    failure: Exception | None = None
