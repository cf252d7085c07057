# -*- test-case-name: tests.speech.test_engines -*-
"""The engines of an agent that hears by grammar and speaks: what is asked of them.

One pool hears, one process speaks. All is given in the format of a call, and comes
back in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from ..errors import ConfigError
from ..formats import AudioFormat
from .pool import EnginePool, Job

__all__ = ["Engines", "Hearing", "require_engines"]

#: What must be importable, and the extra that has it.
_NEEDED = ("pocketsphinx", "hibari", "webrtcvad")


def require_engines(find: Callable[[str], object | None] = find_spec) -> None:
    """:raises ConfigError: saying what is missing and how to get it."""
    missing = [name for name in _NEEDED if find(name) is None]
    if missing:
        raise ConfigError(
            [f"needs {', '.join(missing)}: pip install 'twistedvoice[local]'"]
        )


class Hearing:
    """One speech of one caller, on its way to words."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def write(self, audio: bytes) -> None:
        """Hear more."""
        self._job.send(b"A", audio)

    def words(self) -> Deferred[str]:
        """
        :returns: fires with the words so far; more may be heard afterwards.
        """
        self._job.send(b"W")
        return self._job.answered().addCallback(bytes.decode)

    def close(self) -> None:
        """Nothing more is heard, and no words are wanted."""
        self._job.close()


class Engines:
    """What hears and speaks for all calls of one agent."""

    def __init__(self, reactor: Any, grammars: Mapping[str, str], ears: int) -> None:
        """
        :param grammars: JSGF by name.
        :param ears: how many processes hear.
        """
        self._ears = EnginePool(reactor, "hear", size=ears, set_up=grammars)
        self._mouth = EnginePool(reactor, "speak", size=1, set_up={})

    def start(self) -> Deferred[None]:
        """:returns: fires when all are warm; fails with :class:`EngineError`."""
        starting = gatherResults(
            [self._ears.start(), self._mouth.start()], consumeErrors=True
        )
        return starting.addCallbacks(
            lambda _: None, lambda failure: failure.value.subFailure
        )

    def stop(self) -> Deferred[None]:
        """:returns: fires when all are gone."""
        stopping = gatherResults([self._ears.stop(), self._mouth.stop()])
        return stopping.addCallback(lambda _: None)

    def hear(self, grammar: str, sound: AudioFormat) -> Hearing:
        """
        Somebody begins to speak.

        :raises EngineError: when no engine can listen.
        """
        return Hearing(self._ears.begin({"grammar": grammar, **_plain(sound)}))

    def speak(
        self, text: str, sound: AudioFormat, heard: Callable[[bytes], object]
    ) -> Deferred[None]:
        """
        Say ``text``.

        :param heard: given each sentence, as soon as it is there.
        :returns: fires when all were given; fails with :class:`EngineError`.
        :raises EngineError: when no engine can speak.
        """
        job = self._mouth.begin({"text": text, **_plain(sound)}, heard)
        done = job.answered()

        def close(result: Any) -> Any:
            job.close()
            return result

        return done.addBoth(close).addCallback(lambda _: None)


def _plain(sound: AudioFormat) -> dict[str, object]:
    return {"encoding": sound.encoding, "rate": sound.rate}
