# -*- test-case-name: tests.agents.cascade.test_options -*-
"""The settings of the cascade, beside those that all agents of models have.

Everything that is wrong is found in one go when the service starts. The accounts are
not here: they are the process's, and come with :class:`~..outside.Outside`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

from ...speech.engines import wanting
from ...speech.whispering import missing_files
from ..model.conduct import Conduct, read_conduct, read_word
from ..section import Section, reading
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
    #: Who hears and who speaks: the name of an account, or what is on this machine.
    hearing: str
    speaking: str
    listening_model: str
    #: The folder of a model of Whisper, and how many processes hear by it.
    whisper_model: Path
    whisper_processes: int
    #: How long a voice must last to be speech, where that is heard on this machine.
    confirm_ms: int
    language: str
    #: How long it must be quiet until the caller has spoken.
    silence_ms: int
    voice: Voice


def read_options(
    settings: Mapping[str, object],
    folder: Path,
    find: Callable[[str], object | None] = find_spec,
) -> Options:
    """
    Read a section of the configuration.

    :param folder: where relative paths start.
    :param find: tells what is installed.
    :raises ConfigError: naming everything that is wrong.
    """
    with reading(settings) as section:
        language = section.text("language", "en")
        options = Options(
            conduct=read_conduct(section, folder),
            model=section.text("model", "gpt-4.1-mini"),
            hearing=read_word(section, "hearing", "deepgram", "whisper"),
            speaking=read_word(section, "speaking", "cartesia", "local"),
            listening_model=section.text("listening_model", "nova-3"),
            whisper_model=folder / section.text("whisper_model", ""),
            whisper_processes=section.whole("whisper_processes", 1, least=1, most=32),
            confirm_ms=section.whole("confirm_ms", 120, least=80, most=1000),
            language=language,
            silence_ms=section.whole("silence_ms", 500, least=10, most=5000),
            voice=Voice(
                model=section.text("speaking_model", "sonic-3"),
                voice=section.text("voice", _VOICE),
                language=language,
            ),
        )
        if options.hearing == "whisper":
            _check_hearing(section, options, wanting("whisper", find))
        if options.speaking == "local":
            _check_speaking(section, options, wanting("local", find))
        return options


def _check_hearing(section: Section, options: Options, absent: str) -> None:
    if absent:
        section.problem("hearing", absent)
    if "whisper_model" not in section:
        section.problem("whisper_model", "is missing; give the folder of a model")
        return
    missing = missing_files(options.whisper_model)
    if missing:
        names = ", ".join(missing)
        section.problem("whisper_model", f"no {names} in {options.whisper_model}")


def _check_speaking(section: Section, options: Options, absent: str) -> None:
    if absent:
        section.problem("speaking", absent)
    if options.language.partition("-")[0] != "en":
        section.problem("language", "must be English for the voice on this machine")
