# -*- test-case-name: tests.agents.openai.test_options -*-
"""The settings of the agent, and the session of the API that they make.

Everything that is wrong is found in one go when the service starts. The account is not
here: it is the process's, and comes with :class:`~..outside.Outside`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen

from ...errors import ConfigError
from ..section import Section
from ..tools import Tool

__all__ = ["BUILT_IN", "Options", "read_options"]

#: The functions that an agent has by itself, for those who allow them.
BUILT_IN = ("hang_up", "transfer")
#: What is said when the model cannot be reached any more.
_APOLOGY = Path(__file__).parents[1] / "prompts" / "apology.wav"
_INSTRUCTIONS = "You answer the phone. Be friendly, and be brief."
_OPENING = "Greet the caller, and ask how you can help."
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")


@frozen(kw_only=True)
class Options:
    """One kind of agent."""

    model: str
    voice: str
    instructions: str = field(repr=False)
    #: What the first response is to do; unused with a ``greeting``.
    opening: str = field(repr=False)
    #: A WAV file that is said at once, and what is said in it.
    greeting: Path | None
    greeting_text: str = field(repr=False)
    protect_greeting: bool
    #: As the API has it.
    turn_detection: Mapping[str, object]
    speed: float
    noise_reduction: str
    #: The model that writes down what the caller says; empty for none.
    transcription: str
    language: str
    most_tokens: int
    functions: Sequence[str]
    transfer: str = field(repr=False)
    apology: Path
    on_failure: str
    reconnects: int
    answer_seconds: float
    prewarm: bool

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
            "instructions": self.instructions,
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
    problems: list[str] = []
    section = Section(settings, "", problems)
    greeting = section.text("greeting", "")
    options = Options(
        model=section.text("model", "gpt-realtime"),
        voice=section.text("voice", "marin"),
        instructions=_instructions(section, folder),
        opening=section.text("opening", _OPENING),
        greeting=folder / greeting if greeting else None,
        greeting_text=section.text("greeting_text", ""),
        protect_greeting=section.flag("protect_greeting", default=False),
        turn_detection=_turn_detection(section),
        speed=section.number("speed", 1.0, least=0.25, most=1.5),
        noise_reduction=_word(
            section, "noise_reduction", "", "near_field", "far_field"
        ),
        transcription=section.text("transcription", "gpt-4o-mini-transcribe"),
        language=section.text("language", ""),
        most_tokens=section.whole("max_output_tokens", 0, least=0, most=4096),
        functions=_functions(section),
        transfer=_number(section),
        apology=folder / section.text("apology", str(_APOLOGY)),
        on_failure=_word(section, "on_failure", "hangup", "transfer"),
        reconnects=section.whole("reconnects", 2, least=0, most=100),
        answer_seconds=section.number("answer_seconds", 10, least=1, most=600),
        prewarm=section.flag("prewarm", default=True),
    )
    wants_number = options.on_failure == "transfer" or "transfer" in options.functions
    if wants_number and not options.transfer:
        section.problem("transfer", "is missing; give a number as +15550100")
    section.finish()
    if problems:
        raise ConfigError(problems)
    return options


def _instructions(section: Section, folder: Path) -> str:
    name, text = section.text("instructions_file", ""), section.text("instructions", "")
    if not name:
        return text or _INSTRUCTIONS
    if text:
        section.problem("instructions_file", "excludes instructions; give one of them")
    try:
        return (folder / name).read_text("utf-8")
    except (OSError, ValueError) as error:
        section.problem("instructions_file", f"cannot read {folder / name}: {error}")
        return ""


def _turn_detection(section: Section) -> dict[str, object]:
    kind = _word(section, "turn_detection", "server_vad", "semantic_vad")
    eagerness = _word(section, "eagerness", "auto", "low", "medium", "high")
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


def _functions(section: Section) -> list[str]:
    names = section.texts("functions")
    for name in names:
        if name not in BUILT_IN:
            known = ", ".join(BUILT_IN)
            section.problem("functions", f"{name!r} is not known; allowed are {known}")
    return names


def _number(section: Section) -> str:
    number = section.text("transfer", "")
    if number and not _NUMBER.fullmatch(number):
        section.problem("transfer", "is not a phone number; write it as +15550100")
    return number


def _word(section: Section, key: str, default: str, *others: str) -> str:
    word = section.text(key, default)
    if word not in (default, *others):
        allowed = ", ".join(repr(each) for each in (default, *others))
        section.problem(key, f"must be one of {allowed}")
    return word


def _declared(made: Tool) -> dict[str, object]:
    return {
        "type": "function",
        "name": made.name,
        "description": made.description,
        "parameters": made.parameters,
    }
