# -*- test-case-name: tests.simulator.test_line -*-
"""How the simulated carrier reaches the service, and what it says when it cannot.

Used for webhooks and streams alike, so that both get to the same place and tell of the
same troubles in the same words.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from attrs import frozen
from twisted.internet import error
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS

from ..errors import SimulationError

__all__ = ["CONNECT_ERRORS", "Line", "refused", "unreachable"]

#: What an endpoint fails with when nobody can be reached.
CONNECT_ERRORS = (error.ConnectError, error.DNSLookupError, TookTooLong)

#: The carrier's own patience with a connection.
_CONNECT_SECONDS = 5.0
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}

_REFUSALS = {
    400: "the service could not read the request",
    403: (
        "the service did not accept the signature: is TWISTEDVOICE_AUTH_TOKEN the one"
        " it has, and is its public URL the one called here?"
    ),
    404: "there is no such path: does the URL lead to the service's voice webhook?",
    405: "the service does not take this method on this path",
    429: "the service takes no more requests now",
    503: "the service takes no calls now",
}


@frozen
class Line:
    """The way to one URL; with ``connect_to``, to that host and port instead."""

    reactor: Any
    url: str
    connect_to: tuple[str, int] | None

    def endpoint(self) -> IStreamClientEndpoint:
        """
        :returns: where to connect to; over TLS as the URL's scheme says, but over
            plain TCP to ``connect_to``.
        :raises SimulationError: when the URL is none that can be called.
        """
        if self.connect_to is not None:
            return self._tcp(*self.connect_to)
        host, port = self._address()
        if urlsplit(self.url).scheme in ("https", "wss"):
            return wrapClientTLS(optionsForClientTLS(host), self._tcp(host, port))
        return self._tcp(host, port)

    def _tcp(self, host: str, port: int) -> IStreamClientEndpoint:
        return HostnameEndpoint(self.reactor, host, port, timeout=_CONNECT_SECONDS)

    def _address(self) -> tuple[str, int]:
        try:
            parts = urlsplit(self.url)
            host, port = parts.hostname, parts.port or _PORTS[parts.scheme]
        except (KeyError, ValueError):
            host = None
        if not host:
            raise SimulationError(
                f"{self.url!r} is no URL that can be called: it needs http, https, ws"
                " or wss, a host, and a port below 65536 if any"
            )
        return host, port


def refused(status: int, url: str) -> SimulationError:
    """:returns: what to raise when the service answered with ``status``."""
    sentence = _REFUSALS.get(status, "this is not what a carrier expects")
    return SimulationError(f"{url} answered {status}: {sentence}")


def unreachable(trouble: Exception, url: str) -> SimulationError:
    """:returns: what to raise when no answer came because of ``trouble``."""
    return SimulationError(f"{url} cannot be called: {_reason(trouble)}")


def _reason(trouble: Exception) -> str:
    if isinstance(trouble, error.ConnectionRefusedError):
        return "nobody listens there: is the service running?"
    if isinstance(trouble, error.DNSLookupError):
        return "there is no such host"
    if isinstance(trouble, (TookTooLong, error.TimeoutError)):
        return "it took too long"
    causes = [failure.getErrorMessage() for failure in getattr(trouble, "reasons", ())]
    return ", ".join(causes) or str(trouble)
