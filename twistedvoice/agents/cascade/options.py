# -*- test-case-name: tests.agents.cascade.test_options -*-
"""The settings of the cascade, beside those that all agents of models have.

Everything that is wrong is found in one go when the service starts. The accounts are
not here: they are the process's, and come with :class:`~..outside.Outside`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from ..model.conduct import Conduct, read_conduct
from ..section import reading
from .tts import Voice

__all__ = ["Options", "read_options"]

#: A voice that every account at Cartesia has.
_VOICE = "a0e99841-438c-4a64-b679-ae501e7d6091"


@frozen(kw_only=True)
class Options:
    """One kind of agent."""

    conduct: Conduct
    #: The chat model, and the one that listens.
    model: str
    listening_model: str
    language: str
    #: How long it must be quiet until the caller has spoken.
    silence_ms: int
    voice: Voice


def read_options(settings: Mapping[str, object], folder: Path) -> Options:
    """
    Read a section of the configuration.

    :param folder: where relative paths start.
    :raises ConfigError: naming everything that is wrong.
    """
    with reading(settings) as section:
        language = section.text("language", "en")
        return Options(
            conduct=read_conduct(section, folder),
            model=section.text("model", "gpt-4.1-mini"),
            listening_model=section.text("listening_model", "nova-3"),
            language=language,
            silence_ms=section.whole("silence_ms", 500, least=10, most=5000),
            voice=Voice(
                model=section.text("speaking_model", "sonic-3"),
                voice=section.text("voice", _VOICE),
                language=language,
            ),
        )
