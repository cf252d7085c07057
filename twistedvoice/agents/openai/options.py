# -*- test-case-name: tests.agents.openai.test_options -*-
"""The settings of the agent, and the session of the API that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from ..model.conduct import Conduct, read_conduct, read_word
from ..section import Section, reading
from ..tools import Tool

__all__ = ["Options", "read_options"]


@frozen(kw_only=True)
class Options:
    """One kind of agent."""

    conduct: Conduct
    model: str
    voice: str
    #: As the API has it.
    turn_detection: Mapping[str, object]
    speed: float
    noise_reduction: str
    #: The model that writes down what the caller says; empty for none.
    transcription: str
    language: str
    most_tokens: int

    def session(
        self, sound: Mapping[str, object], tools: Sequence[Tool]
    ) -> dict[str, Any]:
        """
        :param sound: the format of both directions.
        :returns: what a ``session.update`` asks for.
        """
        heard: dict[str, object] = {
            "format": sound,
            "turn_detection": self.turn_detection,
        }
        if self.noise_reduction:
            heard["noise_reduction"] = {"type": self.noise_reduction}
        if self.transcription:
            language = {"language": self.language} if self.language else {}
            heard["transcription"] = {"model": self.transcription, **language}
        said = {"format": sound, "voice": self.voice, "speed": self.speed}
        return {
            "output_modalities": ["audio"],
            "instructions": self.conduct.instructions,
            "audio": {"input": heard, "output": said},
            "tools": [_declared(each) for each in tools],
            "max_output_tokens": self.most_tokens or "inf",
        }


def read_options(settings: Mapping[str, object], folder: Path) -> Options:
    """
    Read a section of the configuration.

    :param folder: where relative paths start.
    :raises ConfigError: naming everything that is wrong.
    """
    with reading(settings) as section:
        return Options(
            conduct=read_conduct(section, folder),
            model=section.text("model", "gpt-realtime"),
            voice=section.text("voice", "marin"),
            turn_detection=_turn_detection(section),
            speed=section.number("speed", 1.0, least=0.25, most=1.5),
            noise_reduction=read_word(
                section, "noise_reduction", "", "near_field", "far_field"
            ),
            transcription=section.text("transcription", "gpt-4o-mini-transcribe"),
            language=section.text("language", ""),
            most_tokens=section.whole("max_output_tokens", 0, least=0, most=4096),
        )


def _turn_detection(section: Section) -> dict[str, object]:
    kind = read_word(section, "turn_detection", "server_vad", "semantic_vad")
    eagerness = read_word(section, "eagerness", "auto", "low", "medium", "high")
    by_level: dict[str, object] = {
        "threshold": section.number("threshold", 0.5, least=0, most=1),
        "prefix_padding_ms": section.whole("padding_ms", 300, least=0, most=10_000),
        "silence_duration_ms": section.whole("silence_ms", 500, least=100, most=10_000),
    }
    own = by_level if kind == "server_vad" else {"eagerness": eagerness}
    for key in ("threshold", "padding_ms", "silence_ms"):
        if kind != "server_vad" and key in section:
            section.problem(key, 'is for turn_detection = "server_vad"')
    if kind != "semantic_vad" and "eagerness" in section:
        section.problem("eagerness", 'is for turn_detection = "semantic_vad"')
    return {"type": kind, "create_response": True, "interrupt_response": True, **own}


def _declared(made: Tool) -> dict[str, object]:
    return {
        "type": "function",
        "name": made.name,
        "description": made.description,
        "parameters": made.parameters,
    }
