# -*- test-case-name: tests.agents.cascade.test_sentences -*-
"""Cuts text that comes word by word into sentences, so that speech can begin early.

A sentence is whole when what follows it has begun, since only then it is known that a
full stop was not a decimal point. Nothing is lost but white space at the seams.
"""

from __future__ import annotations

import re

__all__ = ["Sentences"]

#: What ends a sentence, and the first that follows it.
_END = re.compile(
    "(?<=[.!?\u2026])[\"'\u201d\u2019)\\]]*(?=\\s)"
    "|(?<=[\u3002\uff01\uff1f])"  # as Chinese and Japanese write them
    r"|(?=\n)"
)
#: Full stops that end no sentence: of titles and shorthands, and of numbers in lists.
_NO_END = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|No|vs|etc|approx|e\.g|i\.e)|\b[A-Z]|^\d+)\.$"
)
#: Longer, and it is cut where it can be: nobody waits for a full stop that long.
_MOST_CHARACTERS = 300
_PAUSE = re.compile(r"(?<=[,;:—])\s|\s")


class Sentences:
    """The sentences of one text."""

    def __init__(self) -> None:
        self._text = ""

    def push(self, piece: str) -> list[str]:
        """:returns: the sentences that ``piece`` completes."""
        self._text += piece
        found = []
        while (end := self._end()) is not None:
            found.append(self._text[:end].strip())
            self._text = self._text[end:].lstrip()
        return [sentence for sentence in found if sentence]

    def finish(self) -> list[str]:
        """:returns: what is left, as the last sentence; empty when nothing is."""
        rest, self._text = self._text.strip(), ""
        return [rest] if rest else []

    def _end(self) -> int | None:
        """:returns: where the first sentence ends, if it is known to."""
        for match in _END.finditer(self._text):
            if match.end() > _MOST_CHARACTERS:
                break
            before = self._text[: match.end()].strip()
            if before and _NO_END.search(before) is None:
                return match.end()
        if len(self._text) <= _MOST_CHARACTERS:
            return None
        return self._pause()

    def _pause(self) -> int:
        """:returns: the last pause in a sentence that is too long."""
        pauses = [
            (match.group() != "" and self._text[match.start() - 1] in ",;:—", match)
            for match in _PAUSE.finditer(self._text, 1, _MOST_CHARACTERS)
        ]
        commas = [match.end() for is_comma, match in pauses if is_comma]
        spaces = [match.end() for _, match in pauses]
        return [_MOST_CHARACTERS, *spaces[-1:], *commas[-1:]][-1]
