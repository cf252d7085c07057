# -*- test-case-name: tests.doubles.gemini.test_session -*-
"""What the model knows of a conversation, and how another session goes on from it."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

__all__ = ["Memories", "Memory"]


class Memory:
    """
    One conversation, over all its connections.

    ``lines`` are pairs of a role, ``user`` or ``model``, and what was said. Of what the
    model says it is all that was sent: nobody can tell it what was heard.
    """

    def __init__(self, now: float) -> None:
        self.began_at = now
        self.lines: list[tuple[str, str]] = []
        #: Whether a connection has it.
        self.is_open = True


class Memories:
    """All that can be gone on from, by handle."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[Memory, list[tuple[str, str]], float]] = {}

    def new(self) -> Memory:
        """:returns: an empty one."""
        return Memory(self._clock.seconds())

    def keep(self, memory: Memory, seconds: float) -> str:
        """:returns: a handle to what is known now, good for so long."""
        handle = f"handle-{len(self._kept) + 1}"
        until = self._clock.seconds() + seconds
        self._kept[handle] = (memory, list(memory.lines), until)
        return handle

    def resume(self, handle: str) -> Memory | None:
        """
        Go back to what was known then.

        :returns: the conversation; None when the handle is no good. One that is still
            open is for nobody else.
        """
        memory, lines, until = self._kept.get(handle, (None, [], 0.0))
        if memory is None or self._clock.seconds() > until:
            return None
        if not memory.is_open:
            memory.lines = list(lines)
        return memory
