# -*- test-case-name: tests.agents.openai.test_options -*-
"""The settings that all agents of models elsewhere have, and how they are read.

Everything that is wrong is found in one go when the service starts. The account is not
here: it is the process's, and comes with :class:`~..outside.Outside`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import field, frozen

from ..actions import phone_number
from ..section import Section

__all__ = ["BUILT_IN", "Conduct", "read_conduct", "read_word"]

#: The functions that an agent has by itself, for those who allow them.
BUILT_IN = ("hang_up", "transfer")
#: What is said when the model cannot be reached any more.
_APOLOGY = Path(__file__).parents[1] / "prompts" / "apology.wav"
_INSTRUCTIONS = "You answer the phone. Be friendly, and be brief."
_OPENING = "Greet the caller, and ask how you can help."


@frozen(kw_only=True)
class Conduct:
    """How a call goes, whichever model speaks."""

    instructions: str = field(repr=False)
    #: What the first response is to do; unused with a ``greeting``.
    opening: str = field(repr=False)
    #: A WAV file that is said at once, and what is said in it.
    greeting: Path | None
    greeting_text: str = field(repr=False)
    protect_greeting: bool
    functions: Sequence[str]
    transfer: str = field(repr=False)
    apology: Path
    on_failure: str
    reconnects: int
    answer_seconds: float
    prewarm: bool


def read_conduct(section: Section, folder: Path) -> Conduct:
    """
    Read these settings of a section; problems are written down there.

    :param folder: where relative paths start.
    """
    greeting = section.text("greeting", "")
    conduct = Conduct(
        instructions=_instructions(section, folder),
        opening=section.text("opening", _OPENING),
        greeting=folder / greeting if greeting else None,
        greeting_text=section.text("greeting_text", ""),
        protect_greeting=section.flag("protect_greeting", default=False),
        functions=_functions(section),
        transfer=phone_number(section, "transfer"),
        apology=folder / section.text("apology", str(_APOLOGY)),
        on_failure=read_word(section, "on_failure", "hangup", "transfer"),
        reconnects=section.whole("reconnects", 2, least=0, most=100),
        answer_seconds=section.number("answer_seconds", 10, least=1, most=600),
        prewarm=section.flag("prewarm", default=True),
    )
    wants_number = conduct.on_failure == "transfer" or "transfer" in conduct.functions
    if wants_number and not conduct.transfer:
        section.problem("transfer", "is missing; give a number as +15550100")
    return conduct


def read_word(section: Section, key: str, default: str, *others: str) -> str:
    """:returns: one of the words that are allowed."""
    word = section.text(key, default)
    if word not in (default, *others):
        allowed = ", ".join(repr(each) for each in (default, *others))
        section.problem(key, f"must be one of {allowed}")
    return word


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


def _functions(section: Section) -> list[str]:
    names = section.texts("functions")
    for name in names:
        if name not in BUILT_IN:
            known = ", ".join(BUILT_IN)
            section.problem("functions", f"{name!r} is not known; allowed are {known}")
    return names
