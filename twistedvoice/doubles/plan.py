# -*- test-case-name: tests.doubles.openai.test_session -*-
"""What the double of a model will say and do, and how it will fail.

A test fills in replies; without any, every turn of the caller is answered with a
sentence. A double adds what only its API can do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import Factory, define, frozen

from ..audio.pcm import Samples
from .voice import tones

__all__ = ["Reply", "VoicePlan"]


@frozen(kw_only=True)
class Reply:
    """One response of the model."""

    #: The words of its spoken item; empty for none.
    says: str = ""
    #: The functions that it calls, after it has spoken, with their arguments: an
    #: object, or the text that stands in its place.
    calls: Sequence[tuple[str, Mapping[str, object] | str]] = ()
    #: The code of the error that it ends in, as the API calls it.
    fails: str = ""
    #: Why it ends early all the same, as the API calls it.
    incomplete: str = ""
    #: The socket ends once so much of it was sent, with this code.
    breaks_after_ms: int | None = None
    breaks_with: int = 1006
    #: It begins, and then nothing of it comes.
    hangs: bool = False


@define(kw_only=True)
class VoicePlan:
    """How one double behaves, for all its sessions; may be changed at any time."""

    #: The key that lets in.
    key: str
    #: The HTTP statuses that the next sockets are refused with, in order.
    refusals: list[int] = Factory(list)
    #: The next replies, in order.
    replies: list[Reply] = Factory(list)
    #: What is said when there are none; gets how long the caller spoke.
    answer: Callable[[int], Reply] = lambda heard_ms: Reply(
        says=f"I heard you for {heard_ms} milliseconds"
    )
    #: What the caller said, for the transcripts, in order; then a sentence.
    transcripts: list[str] = Factory(list)
    #: From text and rate to sound.
    voice: Callable[[str, int], Samples] = tones
    #: From the end of a turn to the first piece of sound.
    think_seconds: float = 0.2
    #: The sound comes in such pieces, at such times: five times as fast as it plays.
    piece_ms: int = 100
    piece_every_seconds: float = 0.02
    #: Whether it listens; else the caller's sound is thrown away.
    hears: bool = True
    #: It takes what is said and answers nothing at all.
    mute: bool = False
