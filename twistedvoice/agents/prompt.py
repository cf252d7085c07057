# -*- test-case-name: tests.agents.test_prompt -*-
"""The agent that plays prompts and is led by the keys of the telephone.

Each call walks through the menus of one :class:`~.menu.MenuTree`: a menu is said, a key
or a time-out or its end leads on. All sound is encoded before the first call comes.
What callers enter is never logged; a subclass gets it, see :class:`Prompt`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from ..formats import MULAW_8K
from ..interfaces import AgentFactory, CallControl, Utterance
from ..speech.recital import Recital
from .digits import Entry
from .guide import Guide
from .menu import Gather, Menu, MenuTree, Prompts
from .menufile import read_menus
from .sounds import Sounds

__all__ = ["Prompt"]

_DIGITS = frozenset("0123456789")


class Prompt(Guide[Menu]):
    """Leads a caller through menus; see docs/agents.rst for how they are written."""

    @classmethod
    def configure(cls, settings: Mapping[str, object], folder: Path) -> AgentFactory:
        """Read the menus and encode their sound; without settings, the samples."""
        tree = read_menus(settings, folder)
        sounds = Sounds(tree.files())
        sounds.encoded_as(MULAW_8K)
        return partial(cls, tree, sounds)

    def __init__(self, tree: MenuTree, sounds: Sounds) -> None:
        super().__init__(tree.menus, tree.start)
        self._tree = tree
        self._sounds = sounds
        self._encoded: Mapping[Path, bytes] = {}
        #: What is gathered since the menu was last said.
        self._entry: Entry | None = None
        #: A key that may still follow a gather that was complete without it.
        self._late_terminator = ""

    def digits_gathered(self, menu: str, digits: str) -> None:
        """
        The caller entered ``digits``, whole, in ``menu``; for subclasses.

        Never log them: they may be a code, a birthday or a card number.
        """

    # -- what happens to the call --------------------------------------------------

    def call_started(self, call: CallControl) -> None:
        """Say the greeting and the first menu at once."""
        self._recital = Recital(call)
        self._encoded = self._sounds.encoded_as(call.format)
        self._say_menu(self._tree.greeting)

    def digit_pressed(self, digit: str) -> None:
        """A key cuts the prompt off and counts, where the menu lets it."""
        late, self._late_terminator = self._late_terminator, ""
        menu = self._visit.place
        deaf = self._recital.saying is not None and not menu.barge_in
        if self._leaving or deaf or digit == late:
            return
        self._fall_silent("digit")
        if menu.gather is not None:
            self._gather(menu.gather, digit)
        elif digit in menu.keys:
            self._perform(menu.keys[digit])
        elif menu.then is not None and not menu.keys:
            self._perform(menu.then)  # nothing to choose: any key skips
        else:
            self._try_again(menu.on_invalid)

    def _gather(self, gather: Gather, digit: str) -> None:
        """Take one more digit, or the end of them."""
        entry = self._entry or Entry(gather.digits, gather.terminator)
        ends = digit == gather.terminator and entry.digits != ""
        if digit not in _DIGITS and not ends:
            self._try_again(self._visit.place.on_invalid)
        elif not entry.press(digit):
            self._entry = entry
            self._wait(gather.timeout_seconds)
        else:
            self._late_terminator = entry.late_terminator
            self.digits_gathered(self._visit.name, entry.digits)
            self._perform(gather.then)

    # -- what is said --------------------------------------------------------------

    def _say_place(self, *, sorry: bool = False) -> None:
        self._say_menu(self._tree.sorry if sorry else ())

    def _say_menu(self, first: Prompts) -> None:
        self._entry = None
        self._say(first + self._visit.place.prompt, self._heard)

    def _goodbye(self) -> Utterance | None:
        return self._say(self._tree.goodbye) if self._tree.goodbye else None

    def _say(
        self, prompts: Prompts, then: Callable[[], None] | None = None
    ) -> Utterance:
        return self._recital.say(
            b"".join(self._encoded[path] for path in prompts), then
        )
