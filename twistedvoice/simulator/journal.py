# -*- test-case-name: tests.simulator.test_caller -*-
"""What happened in one simulated call, as the carrier saw it.

The simulated caller writes it while the call goes on; the report, the picture and the
checks read it afterwards. All times are milliseconds since the carrier sent ``start``.
"""

from __future__ import annotations

from attrs import Factory, define, frozen

__all__ = ["Happening", "Journal"]


@frozen
class Happening:
    """One thing that happened: ``kind`` is one word, ``detail`` may be empty."""

    at_ms: float
    kind: str
    detail: str = ""


@define(kw_only=True)
class Journal:
    """
    The protocol of one call.

    Sound is mu-law at 8 kHz. ``said`` and ``heard`` start at time zero and have no
    holes: silence (0xFF) stands where nothing was said or heard.
    """

    #: The call's id, as the carrier made it.
    call_id: str = ""
    #: Everything the caller sent, frame after frame.
    said: bytearray = Factory(bytearray)
    #: Everything the caller's ear got from the carrier's playout buffer.
    heard: bytearray = Factory(bytearray)
    #: When each media message came from the service, and how many bytes it had.
    arrivals: list[tuple[float, int]] = Factory(list)
    #: From when to when (ms) the playout buffer played without a break.
    played: list[tuple[float, float]] = Factory(list)
    #: Times and lengths (ms) at which the playout buffer ran dry inside an utterance.
    underruns: list[tuple[float, float]] = Factory(list)
    #: Kinds: ``answered started digit mark_received mark_echoed clear speech_started
    #: speech_ended stopped closed`` and ``problem``; of the caller's script ``saying
    #: interrupting gave_up``; ``verb`` for markup that a carrier would go on with.
    #: ``speech_ended`` is known late and carries the time of the last sound, so times
    #: may step back.
    happenings: list[Happening] = Factory(list)
    #: ``completed`` when the call went to its planned end, else one word why not:
    #: ``hung_up`` (by the service, too early), ``lost``, ``too_long``, and without a
    #: stream ``busy rejected redirected dialled``.
    outcome: str = "unfinished"
    #: How long the call lasted.
    duration_ms: float = 0.0
    #: The latest that the caller's own 20 ms tick came, in milliseconds: holes no
    #: longer than this may be the fault of the machine that simulates.
    late_ms: float = 0.0

    def note(self, at_ms: float, kind: str, detail: str = "") -> None:
        """Write down that ``kind`` happened at ``at_ms``."""
        self.happenings.append(Happening(at_ms, kind, detail))
