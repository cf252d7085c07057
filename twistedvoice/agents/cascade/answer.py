# -*- test-case-name: tests.agents.cascade.test_agent -*-
"""One answer of the model: asked for, cut into sentences, its functions called.

After functions the model is asked again, since it has not seen what came of them. An
answer that is cancelled says no more; what its functions come to is still remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from attrs import field, frozen

from ...errors import ChatFailed
from ..model.watch import NewWatch
from ..tools import Toolbox
from .history import Exchange, FunctionCall, History
from .llm import Chat
from .sentences import Sentences

__all__ = ["Answer", "AnswerOwner", "Mind"]

#: A model that calls function after function says nothing.
_MOST_ROUNDS = 8
#: Ten minutes of speech, which nobody listens to: a model that runs away.
_MOST_CHARACTERS = 10_000
#: What a model is asked when it has the last word: it was broken off.
_GO_ON = "Go on where you were broken off."


class AnswerOwner(Protocol):
    """Whose answer it is."""

    @property
    def is_leaving(self) -> bool:
        """Whether nothing is to be said any more."""

    def answer_says(self, sentence: str) -> None:
        """The next sentence."""

    def answer_over(self) -> None:
        """All was told."""

    def answer_failed(self, failed: ChatFailed) -> None:
        """No more comes of it; the sentences that were told count."""


@frozen(kw_only=True)
class Mind:
    """What an answer is made with, the same for all of a call."""

    chat: Chat
    history: History
    toolbox: Toolbox
    instructions: str = field(repr=False)
    #: What a model is asked while nothing was said.
    opening: str = field(repr=False)
    call_later: Callable[[float, Callable[[], object]], Any]
    #: Calls what it is given, whatever that raises.
    contain: Callable[[Callable[[], object]], object]
    #: For an answer of which nothing comes.
    new_watch: NewWatch


class Answer:
    """One answer; implements ``Asker``."""

    def __init__(self, mind: Mind, owner: AnswerOwner) -> None:
        self._mind = mind
        self._owner: AnswerOwner | None = owner
        self._sentences = Sentences()
        self._rounds = 0
        self._has_said = False
        #: How many more characters are said.
        self._left = _MOST_CHARACTERS
        #: Breaks the request off.
        self._asking: Callable[[], None] | None = None
        self._watch = mind.new_watch(self._too_late)

    def start(self) -> None:
        """Ask for it."""
        self._watch.start()
        mind = self._mind
        self._asking = mind.chat.ask(self._messages(), self, mind.contain)

    def cancel(self) -> None:
        """It is not wanted any more; idempotent, and nobody is told."""
        self._owner = None
        self._watch.close()
        self._break_off()

    # -- from the chat -----------------------------------------------------------------

    def words_came(self, text: str) -> None:
        self._watch.told()
        self._say(self._sentences.push(text[: self._left]))
        self._left = max(0, self._left - len(text))
        if not self._left:
            self._break_off()
            self.chat_ended([])

    def chat_ended(self, calls: Sequence[FunctionCall]) -> None:
        self._watch.stop()
        self._asking = None
        self._say(self._sentences.finish())
        owner = self._owner
        if calls:
            self._call(calls)
        elif self._has_said or self._rounds:
            self._finish(lambda owner: owner.answer_over())
        elif owner is not None:
            self.chat_failed(ChatFailed("empty"))

    def chat_failed(self, failed: ChatFailed) -> None:
        self._asking = None
        self._finish(lambda owner: owner.answer_failed(failed))

    # -- within ------------------------------------------------------------------------

    def _messages(self) -> list[dict[str, Any]]:
        mind = self._mind
        said = mind.history.messages()
        if not said:
            said = [{"role": "user", "content": mind.opening}]
        elif said[-1]["role"] == "assistant":
            said.append({"role": "user", "content": _GO_ON})
        return [{"role": "system", "content": mind.instructions}, *said]

    def _say(self, sentences: Sequence[str]) -> None:
        for sentence in sentences:
            if self._owner is not None:
                self._has_said = True
                self._owner.answer_says(sentence)

    def _call(self, calls: Sequence[FunctionCall]) -> None:
        self._rounds += 1
        mind = self._mind
        exchange = mind.history.call(calls)
        for call in calls:
            running = mind.toolbox.run(mind.call_later, call.name, call.arguments)
            running.addCallback(self._note, exchange, call.id)

    def _note(self, result: str, exchange: Exchange, call_id: str) -> None:
        exchange.results[call_id] = result
        if len(exchange.results) == len(exchange.calls):
            self._mind.contain(self._go_on)

    def _go_on(self) -> None:
        owner = self._owner
        if owner is None:
            return
        if owner.is_leaving:
            self._finish(lambda owner: owner.answer_over())
        elif self._rounds >= _MOST_ROUNDS:
            self.chat_failed(ChatFailed("too many functions"))
        else:
            self.start()

    def _finish(self, tell: Callable[[AnswerOwner], None]) -> None:
        self._watch.close()
        owner, self._owner = self._owner, None
        if owner is not None:
            tell(owner)

    def _too_late(self) -> None:
        self._break_off()
        self.chat_failed(ChatFailed("silent"))

    def _break_off(self) -> None:
        asking, self._asking = self._asking, None
        if asking is not None:
            asking()
