# -*- test-case-name: tests.agents.gemini.test_options -*-
"""The settings of the agent, and the set-up of the API that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from ..model.conduct import Conduct, read_conduct, read_word
from ..model.memory import Line
from ..section import Section, reading
from ..tools import Tool

__all__ = ["Options", "read_options"]

_BEFORE = "The call has begun before. This was said so far:"
_SPEAKERS = {"caller": "Caller", "agent": "You"}


@frozen(kw_only=True)
class Options:
    """One kind of agent."""

    conduct: Conduct
    model: str
    voice: str
    #: As ``en-US``; empty for what the model hears.
    language: str
    most_tokens: int
    #: When a turn of the caller's begins and ends, as the API has it.
    detection: Mapping[str, object]

    def setup(
        self, tools: Sequence[Tool], said: Sequence[Line], handle: str
    ) -> dict[str, Any]:
        """
        :param said: what was said on this call before.
        :param handle: of the session to go on from, if any.
        :returns: what a session is to be.
        """
        setup: dict[str, Any] = {
            "model": self.model if "/" in self.model else f"models/{self.model}",
            "generationConfig": self._generation(),
            "systemInstruction": {"parts": self._instructions(said)},
            "realtimeInputConfig": {"automaticActivityDetection": self.detection},
            "sessionResumption": {"handle": handle} if handle else {},
            # Without it a session ends after a quarter of an hour.
            "contextWindowCompression": {"slidingWindow": {}},
            "inputAudioTranscription": {},
            "outputAudioTranscription": {},
        }
        if tools:
            declared = [_declared(each) for each in tools]
            setup["tools"] = [{"functionDeclarations": declared}]
        return setup

    def _instructions(self, said: Sequence[Line]) -> list[dict[str, str]]:
        parts = [{"text": self.conduct.instructions}]
        if said:
            # Turns of before are taken by some models only, this by all.
            lines = (f"{_SPEAKERS[line.who]}: {line.text}" for line in said)
            parts.append({"text": "\n".join([_BEFORE, *lines])})
        return parts

    def _generation(self) -> dict[str, object]:
        voice = {"prebuiltVoiceConfig": {"voiceName": self.voice}}
        speech: dict[str, object] = {"voiceConfig": voice}
        if self.language:
            speech["languageCode"] = self.language
        limit = {"maxOutputTokens": self.most_tokens} if self.most_tokens else {}
        return {"responseModalities": ["AUDIO"], "speechConfig": speech, **limit}


def read_options(settings: Mapping[str, object], folder: Path) -> Options:
    """
    Read a section of the configuration.

    :param folder: where relative paths start.
    :raises ConfigError: naming everything that is wrong.
    """
    with reading(settings) as section:
        return Options(
            conduct=read_conduct(section, folder),
            model=section.text("model", "gemini-3.8-live"),
            voice=section.text("voice", "Puck"),
            language=section.text("language", ""),
            most_tokens=section.whole("max_output_tokens", 0, least=0, most=65536),
            detection=_detection(section),
        )


def _detection(section: Section) -> dict[str, object]:
    start = read_word(section, "start_sensitivity", "high", "low")
    end = read_word(section, "end_sensitivity", "high", "low")
    return {
        "startOfSpeechSensitivity": f"START_SENSITIVITY_{start.upper()}",
        "endOfSpeechSensitivity": f"END_SENSITIVITY_{end.upper()}",
        "prefixPaddingMs": section.whole("speech_ms", 100, least=0, most=10_000),
        "silenceDurationMs": section.whole("silence_ms", 500, least=100, most=10_000),
    }


def _declared(made: Tool) -> dict[str, object]:
    """:returns: a function as the API has it, whose schemas know less than JSON's."""
    schema = made.parameters
    declared: dict[str, object] = {"name": made.name, "description": made.description}
    if schema["properties"]:
        kept = ("type", "properties", "required")
        declared["parameters"] = {name: schema[name] for name in kept}
    return declared
