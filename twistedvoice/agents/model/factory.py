# -*- test-case-name: tests.agents.openai.test_agent tests.agents.model.test_warm -*-
"""What all calls of one agent share that speaks with one API: the way to sessions.

A session is opened here, for a call that is there or for one that is about to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...formats import MULAW_8K, AudioFormat
from .api import Api, Setup
from .conduct import Conduct
from .house import House
from .memory import Line
from .session import Session

if TYPE_CHECKING:
    from .agent import ModelAgent

__all__ = ["Model"]


class Model(House[Session]):
    """Makes the agents of one API."""

    def __init__(self, agent: type[ModelAgent], api: Api, conduct: Conduct) -> None:
        """:raises ConfigError: naming every prompt that cannot be used."""
        super().__init__(agent, conduct, [api.name])
        self.api = api

    def open(
        self,
        form: AudioFormat,
        said: Sequence[Line] | None = None,
        *,
        handle: str = "",
    ) -> Session:
        """
        Open a session.

        :param form: what the call is carried in.
        :param said: what it is told first; by default it is to greet the caller, or
            told of the greeting.
        :param handle: of the session that it goes on from, if any.
        """
        outside, api = self.outside, self.api
        url, key = (
            outside.accounts[f"{api.name}.{what}"] for what in ("url", "api_key")
        )
        before = self._greeting() if said is None else said
        greets = said is None and self.conduct.greeting is None
        setup = Setup(
            request=api.request(url, key),
            wish=api.setup(form, self.tools, before, handle),
            first=api.greet() if greets else api.remember(before),
            resumes=bool(handle),
        )
        return Session(outside.clock, outside.dial, api, setup)

    def is_usual(self, form: AudioFormat) -> bool:
        return self.api.sound_format(form) == self.api.sound_format(MULAW_8K)

    def _greeting(self) -> Sequence[Line]:
        text = self.conduct.greeting_text
        said = self.conduct.greeting is not None and text
        return [Line(who="agent", text=text, at_ms=0)] if said else []
