# -*- test-case-name: tests.agents.openai.test_agent tests.agents.cascade.test_agent -*-
"""What all calls of one configured agent share whose model is elsewhere.

It is the agent's factory: it has the prompts and the functions, holds the accounts, and
keeps what is opened while the phone still rings. What that is, whoever derives from it
says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from ...formats import MULAW_8K, AudioFormat
from ..outside import Outside
from ..sounds import Sounds
from ..tools import tools_of
from .conduct import BUILT_IN, Conduct
from .warm import Closable, Warm

if TYPE_CHECKING:
    from .remote import RemoteAgent

__all__ = ["House"]

_Opened = TypeVar("_Opened", bound=Closable)


class House(Generic[_Opened]):
    """Implements :class:`twistedvoice.agents.outside.RemoteFactory`."""

    def __init__(
        self, agent: type[RemoteAgent], conduct: Conduct, accounts: Sequence[str]
    ) -> None:
        """
        Encode the prompts.

        :param accounts: the names of those that are needed.
        :raises ConfigError: naming every prompt that cannot be used.
        """
        self.conduct = conduct
        self.tools = tools_of(agent, without=set(BUILT_IN) - set(conduct.functions))
        self._agent = agent
        self._accounts = accounts
        files = {"apology": conduct.apology, "greeting": conduct.greeting}
        self._sounds = Sounds([(key, path) for key, path in files.items() if path])
        self._sounds.encoded_as(MULAW_8K)
        self._outside: Outside | None = None
        self._warm: Warm[_Opened] | None = None

    def __call__(self) -> RemoteAgent:
        return self._agent(self)

    def missing(self, accounts: Mapping[str, str]) -> list[str]:
        return [
            f"{name}.api_key: is not set; give {name}.api_key_file or"
            f" TWISTEDVOICE_{name.upper()}__API_KEY"
            for name in self._accounts
            if f"{name}.api_key" not in accounts
        ]

    def connect(self, outside: Outside) -> None:
        self._outside = outside
        self._warm = Warm(outside.clock, lambda: self.open(MULAW_8K))

    def expect(self, call_id: str) -> None:
        if self._warm is not None and self.conduct.prewarm:
            self._warm.expect(call_id)

    def close(self) -> None:
        if self._warm is not None:
            self._warm.close()

    # -- what differs ------------------------------------------------------------------

    def open(self, form: AudioFormat) -> _Opened:
        """:returns: what a call in ``form`` needs, which is being opened."""
        raise NotImplementedError

    def is_usual(self, form: AudioFormat) -> bool:
        """:returns: whether what was opened for the usual format does for ``form``."""
        return form == MULAW_8K

    # -- for the agent of a call -------------------------------------------------------

    @property
    def outside(self) -> Outside:
        """What the process lends; there once it is up."""
        assert self._outside is not None, "connect() comes first"
        return self._outside

    def claim(self, call_id: str, form: AudioFormat) -> _Opened:
        """:returns: what waits for a call, or else is opened now."""
        warm = None if self._warm is None else self._warm.claim(call_id)
        if warm is not None and self.is_usual(form):
            return warm
        if warm is not None:
            warm.close()
        return self.open(form)

    def sound(self, path: Path, form: AudioFormat) -> bytes:
        """:returns: one of the prompts."""
        return self._sounds.encoded_as(form)[path]
