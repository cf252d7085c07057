# -*- test-case-name: tests.agents.cascade.test_local -*-
"""What a call with the cascade is heard and spoken with, whatever is behind it.

The agent knows no more of it than this; :mod:`.services` chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import frozen

from ..model.watch import NewWatch
from .link import Link

__all__ = [
    "Contain",
    "Ears",
    "EarsOwner",
    "Mouth",
    "MouthOwner",
    "NewEars",
    "NewMouth",
    "Senses",
]

#: Calls what it is given, whatever that raises.
Contain = Callable[[Callable[[], object]], object]


class EarsOwner(Protocol):
    """Who listens."""

    def caller_began(self) -> None:
        """The caller speaks: a turn has begun."""

    def caller_said(self, text: str) -> None:
        """The turn is over; no text where it was no words."""

    def ears_given_up(self) -> None:
        """Nothing can be heard any more."""


class Ears(Protocol):
    """What the caller says, turn by turn."""

    def begin(self, contain: Contain) -> None:
        """Tell the owner what happens from now on, and what went wrong before."""

    def hear(self, sound: bytes) -> None:
        """The caller's next 20 ms, in the format of the call."""

    def close(self) -> None:
        """The call is over: tell nobody any more."""


class MouthOwner(Protocol):
    """Whose words are spoken."""

    def sound_came(self, sound: bytes) -> None:
        """More of the text's sound, in the format of the call."""

    def sound_ended(self, *, whole: bool) -> None:
        """No more comes of the text; another may be spoken."""


class Mouth(Protocol):
    """Speaks one text at a time."""

    owner: MouthOwner | None

    def begin(self, contain: Contain) -> None:
        """As with :meth:`Ears.begin`."""

    def speak(self, text: str) -> None:
        """Have ``text`` spoken; only when nothing else is."""

    def cancel(self) -> None:
        """What is being spoken is not needed; what still comes of it is dropped."""

    def close(self) -> None:
        """The call is over: tell nobody any more."""


#: Given who listens, and what makes a watch for what fails to come.
NewEars = Callable[[EarsOwner, NewWatch], Ears]
#: Given what makes such a watch, and who is told that nothing can be spoken any more.
NewMouth = Callable[[NewWatch, Callable[[], None]], Mouth]


@frozen(kw_only=True)
class Senses:
    """Those of one call, for which sockets may be open while its phone still rings."""

    new_ears: NewEars
    new_mouth: NewMouth
    links: Sequence[Link]

    def close(self) -> None:
        """The call does not come."""
        for link in self.links:
            link.close()
