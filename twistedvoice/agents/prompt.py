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
from typing import Any

from attrs import define
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errors import CarrierApiError
from ..formats import MULAW_8K
from ..interfaces import AgentFactory, CallControl, Utterance
from ..speech.recital import Recital
from .actions import Action, GoTo, HangUp, Repeat, Transfer
from .agent import Agent
from .digits import Entry
from .menu import Gather, Menu, MenuTree, Prompts
from .menufile import read_menus
from .sounds import Sounds

__all__ = ["Prompt"]

_DIGITS = frozenset("0123456789")


@define
class _Visit:
    """A caller's stay in one menu."""

    name: str
    menu: Menu
    #: How often nothing or the wrong thing was pressed.
    failures: int = 0
    #: What is gathered since the menu was last said.
    entry: Entry | None = None


class Prompt(Agent):
    """Leads a caller through menus; see docs/agents.rst for how they are written."""

    _log = Logger()
    #: What is being said; made when the call starts.
    _recital: Recital

    @classmethod
    def configure(cls, settings: Mapping[str, object], folder: Path) -> AgentFactory:
        """Read the menus and encode their sound; without settings, the samples."""
        tree = read_menus(settings, folder)
        sounds = Sounds(tree.files())
        sounds.encoded_as(MULAW_8K)
        return partial(cls, tree, sounds)

    def __init__(self, tree: MenuTree, sounds: Sounds) -> None:
        self._tree = tree
        self._sounds = sounds
        self._encoded: Mapping[Path, bytes] = {}
        self._visit = _Visit(tree.start, tree.menus[tree.start])
        self._timer: Any = None
        #: The caller has been said goodbye to, or is being transferred.
        self._leaving = False
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
        visit = self._visit
        deaf = self._recital.saying is not None and not visit.menu.barge_in
        if self._leaving or deaf or digit == late:
            return
        self._fall_silent()
        if visit.menu.gather is not None:
            self._gather(visit, visit.menu.gather, digit)
        elif digit in visit.menu.keys:
            self._perform(visit.menu.keys[digit])
        elif visit.menu.then is not None and not visit.menu.keys:
            self._perform(visit.menu.then)  # nothing to choose: any key skips
        else:
            self._try_again(visit.menu.on_invalid)

    def interrupted(self, reason: str) -> None:
        """Someone else silenced the call: wait for the caller, goodbye or not."""
        if self._recital.saying is not None:
            self._recital.saying = None
            self._leaving = False
            self._listen(self._visit.menu.timeout_seconds)

    def must_end(self, reason: str) -> None:
        """Say goodbye at once."""
        if not self._leaving:
            self._fall_silent()
            self._say_goodbye()

    # -- what follows --------------------------------------------------------------

    def _perform(self, action: Action) -> None:
        match action:
            case GoTo(menu):
                self._visit = _Visit(menu, self._tree.menus[menu])
                self._say_menu()
            case Repeat():
                self._say_menu()
            case HangUp():
                self._say_goodbye()
            case Transfer(number):
                self._leaving = True
                handed_over = self.call.transfer(number)
                handed_over.addErrback(self._transfer_failed).addErrback(
                    self._recital.failed
                )

    def _gather(self, visit: _Visit, gather: Gather, digit: str) -> None:
        """Take one more digit, or the end of them."""
        entry = visit.entry or Entry(gather.digits, gather.terminator)
        ends = digit == gather.terminator and entry.digits != ""
        if digit not in _DIGITS and not ends:
            self._try_again(visit.menu.on_invalid)
        elif not entry.press(digit):
            visit.entry = entry
            self._listen(gather.timeout_seconds)
        else:
            self._late_terminator = entry.late_terminator
            self.digits_gathered(visit.name, entry.digits)
            self._perform(gather.then)

    def _try_again(self, last_resort: Action) -> None:
        """Say the menu again, or do what is left when that was done often enough."""
        self._visit.failures += 1
        if self._visit.failures > self._visit.menu.repeats:
            self._perform(last_resort)
        else:
            self._say_menu(self._tree.sorry)

    def _listen(self, seconds: float) -> None:
        self._timer = self.call.call_later(seconds, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        self._try_again(self._visit.menu.on_timeout)

    def _transfer_failed(self, failure: Failure) -> Failure | None:
        if not isinstance(failure.value, CarrierApiError):
            return failure
        self._log.warn("The transfer of {call_id} failed", call_id=self.call.call_id)
        self._leaving = False
        self._try_again(HangUp())
        return None

    # -- what is said --------------------------------------------------------------

    def _say_menu(self, first: Prompts = ()) -> None:
        self._visit.entry = None
        self._say(first + self._visit.menu.prompt, self._menu_heard)

    def _menu_heard(self) -> None:
        menu = self._visit.menu
        if menu.then is not None:
            self._perform(menu.then)
        else:
            self._listen(menu.timeout_seconds)

    def _say_goodbye(self) -> None:
        self._leaving = True
        if self._tree.goodbye:
            self.call.hang_up_after(self._say(self._tree.goodbye))
        else:
            self.call.hang_up()

    def _fall_silent(self) -> None:
        """Say no more, and wait for nothing more."""
        self._recital.stop("digit")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _say(
        self, prompts: Prompts, then: Callable[[], None] | None = None
    ) -> Utterance:
        return self._recital.say(
            b"".join(self._encoded[path] for path in prompts), then
        )
