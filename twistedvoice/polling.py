# -*- test-case-name: tests.test_polling -*-
"""The reactor's pass over the files that are ready, without the old log's context.

For each, Twisted puts who is served into a context that only its old log reads: a
dictionary copied and five functions called, a twelfth of what a frame costs. We log by
``twisted.logger``, which does not look there.

The conditions: Twisted's own ``EPollReactor``, of which ``_poller``, ``_selectables``
and ``_doReadOrWrite`` are used, and whose loop looks up ``doIteration`` each time. What
a pass raises ends it and is logged by that loop; who was not served is still ready. On
any other reactor nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["poll_plainly"]

#: By its name, since other systems have no such module.
_EPOLL = "twisted.internet.epollreactor.EPollReactor"


def poll_plainly(reactor: Any) -> None:
    """Have a reactor that waits by epoll serve what is ready in a shorter way."""
    kind = type(reactor)
    if f"{kind.__module__}.{kind.__name__}" == _EPOLL:
        reactor.doIteration = _plain_poll(reactor)


def _plain_poll(reactor: Any) -> Callable[[float | None], None]:
    poll = reactor._poller.poll
    selectables = reactor._selectables
    serve = reactor._doReadOrWrite

    def poll_once(timeout: float | None) -> None:
        """:param timeout: how many seconds to wait for the first; None for ever."""
        wait = -1 if timeout is None else timeout
        for file, event in poll(wait, len(selectables)):
            # One that was served before may have taken it off.
            selectable = selectables.get(file)
            if selectable is not None:
                serve(selectable, file, event)

    return poll_once
