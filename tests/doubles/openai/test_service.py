"""Who the double lets in."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import SocketRefused
from twistedvoice.sockets import SocketRequest

from .client import URL, Client

__all__ = ["ServiceTests"]


class ServiceTests(SynchronousTestCase):
    """The handshake."""

    def status(self, url: str = URL, **headers: str) -> int | None:
        """:returns: the status that a request is refused with."""
        client = Client()
        opening = client.network(SocketRequest(url=url, headers=headers), client)
        client.clock.advance(0)
        status = self.failureResultOf(opening, SocketRefused).value.status
        self.assertEqual(client.double.refused, [status])
        return int(status)

    def test_let_in(self) -> None:
        """The right key opens a session of the model that was asked for."""
        client = Client()
        session = client.open()
        client.clock.advance(0)
        self.assertEqual(client.kinds(), ["session.created"])
        self.assertEqual(session.settings["model"], "gpt-realtime")

    def test_refused(self) -> None:
        """Key, path, model and dialect are each looked at."""
        key = "Bearer sk-double"
        self.assertEqual(self.status(), 401)
        self.assertEqual(self.status(authorization="Bearer sk-other"), 401)
        self.assertEqual(self.status("ws://double/realtime", authorization=key), 404)
        self.assertEqual(self.status("ws://double/v1/realtime", authorization=key), 400)
        beta = {"OpenAI-Beta": "realtime=v1", "authorization": key}
        self.assertEqual(self.status(**beta), 400)

    def test_planned(self) -> None:
        """A plan says which sockets are refused, and after them all is well."""
        client = Client(refusals=[429, 500])
        request = SocketRequest(url=URL, headers={"authorization": "Bearer sk-double"})
        for status in (429, 500):
            opening = client.network(request, client)
            client.clock.advance(0)
            failure = self.failureResultOf(opening, SocketRefused)
            self.assertEqual(failure.value.status, status)
        self.assertIsNone(client.open().ended)
