# -*- test-case-name: tests.speech.test_engines -*-
"""What is asked of engines: to hear by grammar, to write down, to speak.

Each is a pool of processes. All is given in the format of a call, and comes back in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from twisted.internet.defer import Deferred

from ..errors import ConfigError
from ..formats import AudioFormat
from .pool import EnginePool, Job, start_all, stop_all

__all__ = ["Engines", "Hearing", "Scribes", "Speaker", "require_engines", "wanting"]

#: What must be importable, by the extra that has it.
_NEEDED = {
    "local": ("pocketsphinx", "hibari", "webrtcvad"),
    "whisper": ("faster_whisper", "webrtcvad"),
}
#: Of a process, being written down or waiting: some seconds of work.
_MOST_SPEECHES = 8


def wanting(extra: str, find: Callable[[str], object | None] = find_spec) -> str:
    """:returns: what is missing of ``extra``, and how to get it, or nothing."""
    missing = [name for name in _NEEDED[extra] if find(name) is None]
    if not missing:
        return ""
    return f"needs {', '.join(missing)}: pip install 'twistedvoice[{extra}]'"


def require_engines(find: Callable[[str], object | None] = find_spec) -> None:
    """:raises ConfigError: when the extra ``local`` is not there."""
    problem = wanting("local", find)
    if problem:
        raise ConfigError([problem])


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


class Speaker(EnginePool):
    """A process that speaks."""

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor, "speak", size=1, set_up={})

    def speak(
        self, text: str, sound: AudioFormat, heard: Callable[[bytes], object]
    ) -> Deferred[None]:
        """
        Say ``text``.

        :param heard: given each sentence, as soon as it is there.
        :returns: fires when all were given; fails with :class:`EngineError`. Cancel it
            when no more is wanted.
        :raises EngineError: when no engine can speak.
        """
        job = self.begin({"text": text, **_plain(sound)}, heard)
        return _only_answer(job).addCallback(lambda _: None)


class Scribes(EnginePool):
    """Processes that write down what was said, one speech at a time each."""

    def __init__(self, reactor: Any, model: str, language: str, size: int) -> None:
        """:param model: the folder of the model."""
        set_up = {"model": model, "language": language}
        super().__init__(
            reactor, "transcribe", size=size, set_up=set_up, most_jobs=_MOST_SPEECHES
        )

    def words(self, audio: bytes, sound: AudioFormat) -> Deferred[str]:
        """
        :returns: fires with what is said in ``audio``, empty where that is nothing;
            fails with :class:`EngineError`. Cancel it when it is not wanted.
        :raises EngineError: when no engine is free.
        """
        job = self.begin(_plain(sound))
        job.send(b"A", audio)
        job.send(b"W")
        return _only_answer(job).addCallback(bytes.decode)


class Engines:
    """What hears and speaks for all calls of one agent that hears by grammar."""

    def __init__(self, reactor: Any, grammars: Mapping[str, str], ears: int) -> None:
        """
        :param grammars: JSGF by name.
        :param ears: how many processes hear.
        """
        self._ears = EnginePool(reactor, "hear", size=ears, set_up=grammars)
        self._speaker = Speaker(reactor)

    def start(self) -> Deferred[None]:
        """:returns: fires when all are warm; fails with :class:`EngineError`."""
        return start_all([self._ears, self._speaker])

    def stop(self) -> Deferred[None]:
        """:returns: fires when all are gone."""
        return stop_all([self._ears, self._speaker])

    def hear(self, grammar: str, sound: AudioFormat) -> Hearing:
        """
        Somebody begins to speak.

        :raises EngineError: when no engine can listen.
        """
        return Hearing(self._ears.begin({"grammar": grammar, **_plain(sound)}))

    def speak(
        self, text: str, sound: AudioFormat, heard: Callable[[bytes], object]
    ) -> Deferred[None]:
        """See :meth:`Speaker.speak`."""
        return self._speaker.speak(text, sound, heard)


def _plain(sound: AudioFormat) -> dict[str, object]:
    return {"encoding": sound.encoding, "rate": sound.rate}


def _only_answer(job: Job) -> Deferred[bytes]:
    """:returns: fires with the body of its answer; then, or cancelled, it is closed."""

    def close(result: Any) -> Any:
        job.close()
        return result

    return job.answered().addBoth(close)
