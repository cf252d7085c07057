# -*- test-case-name: tests.agents.openai.test_agent -*-
"""What the model says, in the call: an utterance for each of its items.

Sound comes faster than it plays, so the caller may have heard only part of what came
when somebody cuts it off. Then the API is told how much, item by item. Never more is
claimed than came: an API would refuse it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from attrs import define, field
from twisted.internet.defer import Deferred, succeed

from ...errors import CallStateError, QueueFull
from ...formats import AudioFormat
from ...interfaces import CallControl, Utterance
from .events import SoundCame
from .memory import Line
from .sound import Converter

__all__ = ["Speech"]


@define(eq=False)
class _Item:
    """One item of the model's that speaks."""

    id: str
    #: When it began to be said.
    at_ms: int
    utterance: Utterance
    converter: Converter
    content_index: int
    size: int = 0
    words: str = field(default="", repr=False)


class Speech:
    """All that the model says in one call."""

    def __init__(
        self,
        call: CallControl,
        form: AudioFormat,
        now_ms: Callable[[], int],
        *,
        tell: Callable[[str, int, int], None],
        said: Callable[[Line], None],
    ) -> None:
        """
        :param form: what the model's sound comes in.
        :param now_ms: since the call began.
        :param tell: tells the API of an item, by its id and the index of its content,
            after how many milliseconds it was cut off.
        :param said: told of each item when it is known what the caller heard of it.
        """
        self._call = call
        self._form = form
        self._now_ms = now_ms
        self._tell = tell
        self._said = said
        #: Those that are not known to have been heard, in order.
        self._items: dict[str, _Item] = {}
        #: Those of this answer of which no more is said, whatever still comes.
        self._whole: set[str] = set()
        #: Words of an item that came before its sound.
        self._early: tuple[str, str] = ("", "")

    @property
    def is_silent(self) -> bool:
        """Whether nothing is being said, nor waits to be."""
        return not self._items

    def last(self) -> Deferred[Utterance | None]:
        """:returns: fires with what is said last; None when nothing is."""
        return succeed(self._last())

    def heard(self) -> Deferred[str]:
        """:returns: fires once the last is over, with its outcome."""
        last = self._last()
        return succeed("played") if last is None else last.finished()

    def answer_began(self) -> None:
        """What comes from now on is of another answer; ids may begin anew."""
        self._whole.clear()

    def sound_came(self, event: SoundCame) -> None:
        """
        Say more of an item, or begin with it.

        :raises QueueFull: when the call can hold no more of it.
        """
        if event.item_id in self._whole:
            return
        item = self._items.get(event.item_id) or self._begin(event)
        self._say(item, item.converter.convert(event.audio))

    def sound_ended(self, item_id: str) -> None:
        """No more comes of an item."""
        item = self._items.get(item_id)
        if item is not None and item_id not in self._whole:
            self._whole.add(item_id)
            with suppress(QueueFull):  # then nobody hears its end
                self._say(item, item.converter.rest())
            item.utterance.end()

    def all_ended(self) -> None:
        """No more comes of any item, told or not."""
        for item_id in list(self._items):
            self.sound_ended(item_id)

    def words_came(self, item_id: str, text: str) -> None:
        """The words of an item come beside its sound."""
        item = self._items.get(item_id)
        if item is not None:
            item.words += text
        else:
            before, words = self._early
            self._early = (item_id, words + text if before == item_id else text)

    def forget(self) -> None:
        """The session is over; what came of it is on its way to the caller's ear."""
        items, self._items = self._items, {}
        for item in items.values():
            item.utterance.end()
            self._said(Line(who="agent", text=item.words, at_ms=item.at_ms))

    def close(self) -> None:
        """The call is over: let go of whoever was told."""
        self._tell = lambda item_id, content_index, heard_ms: None
        self._said = lambda line: None
        self._now_ms = lambda: 0

    def _last(self) -> Utterance | None:
        return next((i.utterance for i in reversed(self._items.values())), None)

    def _begin(self, event: SoundCame) -> _Item:
        item = _Item(
            event.item_id,
            self._now_ms(),
            self._call.speak(),
            Converter(self._form, self._call.format),
            event.content_index,
        )
        before, words = self._early
        if before == item.id:
            item.words, self._early = words, ("", "")
        self._items[item.id] = item
        item.utterance.finished().addCallback(self._finished, item)
        return item

    def _say(self, item: _Item, sound: bytes) -> None:
        if not sound:
            return
        try:
            item.utterance.write(sound)
        except CallStateError:  # something else was said since, and ended it
            self._whole.add(item.id)
        else:
            item.size += len(sound)

    def _finished(self, outcome: str, item: _Item) -> None:
        if self._items.pop(item.id, None) is None:
            return  # forgotten
        came_ms = self._call.format.duration_us(item.size) // 1000
        heard_ms = min(item.utterance.heard_ms(), came_ms)
        words = item.words
        if outcome in ("cleared", "lost") and heard_ms < came_ms:
            words = words[: len(words) * heard_ms // came_ms]
            if outcome == "cleared":
                self._tell(item.id, item.content_index, heard_ms)
        self._said(Line(who="agent", text=words, at_ms=item.at_ms))
