# -*- test-case-name: tests.agents.gemini.test_agent -*-
"""The Gemini Live API behind the seam of :mod:`..model.api`.

It hears 16 kHz and says 24 kHz, whatever the call is carried in. It cannot be told to
stop, nor how much was heard: it knows what it has sent.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from ...events import Message
from ...formats import AudioFormat
from ...sockets import SocketRequest
from ..model.api import Reader
from ..model.events import FunctionCalled
from ..model.memory import Line
from ..tools import Tool
from . import messages
from .options import Options
from .reading import Reading

__all__ = ["GeminiApi"]

_HEARD, _SAID = AudioFormat("l16", 16000), AudioFormat("l16", 24000)
#: Its answers to pings take up to half a minute while the caller is silent.
_SILENCE_SECONDS = 45.0
_GO_ON = "(The line was bad for a moment. Go on from here.)"


class GeminiApi:
    """Implements :class:`..model.api.Api`."""

    name = "gemini"
    #: A connection lasts ten minutes; where no notice comes this is in time.
    renew_seconds = 9 * 60.0
    #: A bad request or a wrong key, and an unknown model.
    hopeless_codes: Container[int] = frozenset({1007, 1008})
    answers_results = True
    #: It resumes no session that is still open, and takes history at the beginning.
    remembers_later = False

    def __init__(self, options: Options) -> None:
        self._options = options

    def request(self, url: str, key: str) -> SocketRequest:
        headers = {"x-goog-api-key": key}
        return SocketRequest(url=url, headers=headers, silence_seconds=_SILENCE_SECONDS)

    def setup(
        self,
        own: AudioFormat,
        tools: Sequence[Tool],
        said: Sequence[Line],
        handle: str,
    ) -> Message:
        return messages.begin(self._options.setup(tools, said, handle))

    def sound_format(self, own: AudioFormat) -> tuple[AudioFormat, AudioFormat]:
        return _HEARD, _SAID

    def reader(self) -> Reader:
        return Reading().read

    def hear(self, sound: bytes) -> Message:
        return messages.append_audio(sound)

    def greet(self) -> Sequence[Message]:
        opening = self._options.conduct.opening
        return [messages.speak_up(f"(The caller is on the line. {opening})")]

    def remember(self, lines: Sequence[Line]) -> Sequence[Message]:
        return []

    def ask(self) -> Sequence[Message]:
        return [messages.speak_up(_GO_ON)]

    def cancel(self) -> Sequence[Message]:
        return []

    def truncate(
        self, item_id: str, content_index: int, heard_ms: int
    ) -> Sequence[Message]:
        return []

    def give_result(self, call: FunctionCalled, result: str) -> Sequence[Message]:
        return [messages.give_result(call.call_id, call.name, result)]
