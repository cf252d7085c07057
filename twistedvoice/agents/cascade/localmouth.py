# -*- test-case-name: tests.agents.cascade.test_local -*-
"""Speaks by an engine on this machine, a text at a time.

The sound comes in the format of the call. A text of which nothing has come yet is given
to the next engine when one dies.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ...errors import EngineError
from ...formats import AudioFormat
from ...speech.engines import Speaker
from ..model.watch import NewWatch
from .attempts import Attempts
from .senses import Contain, MouthOwner

__all__ = ["LocalMouth"]


class LocalMouth:
    """Implements ``Mouth``."""

    def __init__(
        self,
        speaker: Speaker,
        form: AudioFormat,
        new_watch: NewWatch,
        given_up: Callable[[], None],
    ) -> None:
        """
        :param new_watch: for engines of which nothing comes.
        :param given_up: told when nothing can be spoken any more.
        """
        self.owner: MouthOwner | None = None
        self._speaker = speaker
        self._form = form
        self._attempts = Attempts[bool](new_watch, self._spoken, given_up)
        #: Whether anything of the text has come.
        self._has_come = False

    def begin(self, contain: Contain) -> None:
        self._attempts.begin(contain)

    def speak(self, text: str) -> None:
        self._has_come = False
        self._attempts.start(partial(self._speak, text))

    def cancel(self) -> None:
        self._attempts.cancel()

    def close(self) -> None:
        self._attempts.close()
        self.owner = None

    # -- within ------------------------------------------------------------------------

    def _speak(self, text: str) -> Deferred[bool]:
        """:returns: fires with whether all of it was spoken."""
        speaking = self._speaker.speak(text, self._form, self._heard)
        return speaking.addCallbacks(lambda _: True, self._broken)

    def _heard(self, sound: bytes) -> None:
        if self.owner is not None:
            self._has_come = True
            self._attempts.tell(partial(self.owner.sound_came, sound))

    def _broken(self, failure: Failure) -> Failure | bool:
        is_begun = self._has_come and failure.check(EngineError)
        return False if is_begun else failure

    def _spoken(self, whole: bool) -> None:
        if self.owner is not None:
            self.owner.sound_ended(whole=whole)
