# -*- test-case-name: tests.agents.openai.test_agent -*-
"""OpenAI's Realtime API behind the seam of :mod:`..model.api`.

G.711 passes through as it is; any other format is brought to the API's 24 kHz.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from urllib.parse import urlencode

from ...events import Message
from ...formats import ALAW_8K, MULAW_8K, AudioFormat
from ...sockets import SocketRequest
from ..model.api import Reader
from ..model.events import FunctionCalled
from ..model.memory import Line
from ..tools import Tool
from . import messages
from .options import Options
from .reading import read

__all__ = ["OpenAiApi"]

_WIDE = AudioFormat("l16", 24000)
_KINDS: Mapping[AudioFormat, Mapping[str, object]] = {
    MULAW_8K: {"type": "audio/pcmu"},
    ALAW_8K: {"type": "audio/pcma"},
    _WIDE: {"type": "audio/pcm", "rate": _WIDE.rate},
}


class OpenAiApi:
    """Implements :class:`..model.api.Api`."""

    name = "openai"
    #: A session lasts an hour.
    renew_seconds = 55 * 60.0
    #: It says in an event what is wrong.
    hopeless_codes: Container[int] = ()
    answers_results = False
    remembers_later = True

    def __init__(self, options: Options) -> None:
        self._options = options

    def request(self, url: str, key: str) -> SocketRequest:
        query = urlencode({"model": self._options.model})
        headers = {"Authorization": f"Bearer {key}"}
        return SocketRequest(url=f"{url}?{query}", headers=headers)

    def setup(
        self,
        own: AudioFormat,
        tools: Sequence[Tool],
        said: Sequence[Line],
        handle: str,
    ) -> Message:
        kind = _KINDS[self.sound_format(own)[0]]
        return messages.update_session(self._options.session(kind, tools))

    def sound_format(self, own: AudioFormat) -> tuple[AudioFormat, AudioFormat]:
        form = own if own in _KINDS else _WIDE
        return form, form

    def reader(self) -> Reader:
        return read

    def hear(self, sound: bytes) -> Message:
        return messages.append_audio(sound)

    def greet(self) -> Sequence[Message]:
        conduct = self._options.conduct
        # Instructions of a response stand in place of the session's.
        wish = f"{conduct.instructions}\n\n{conduct.opening}"
        return [messages.create_response(wish)]

    def remember(self, lines: Sequence[Line]) -> Sequence[Message]:
        return [
            messages.remember(caller=line.who == "caller", text=line.text)
            for line in lines
        ]

    def ask(self) -> Sequence[Message]:
        return [messages.create_response()]

    def cancel(self) -> Sequence[Message]:
        return [messages.cancel_response()]

    def truncate(
        self, item_id: str, content_index: int, heard_ms: int
    ) -> Sequence[Message]:
        return [messages.truncate(item_id, content_index, heard_ms)]

    def give_result(self, call: FunctionCalled, result: str) -> Sequence[Message]:
        return [messages.give_result(call.call_id, result)]
