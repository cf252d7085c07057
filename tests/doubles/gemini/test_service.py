"""Who the double lets in."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import SocketRefused
from twistedvoice.events import Message
from twistedvoice.sockets import SocketRequest

from .client import SETUP, URL, Client

__all__ = ["ServiceTests"]


class ServiceTests(SynchronousTestCase):
    """The handshake, and what a key is worth."""

    def test_key_in_the_url(self) -> None:
        """The key may stand in the URL as well as in a header."""
        client = Client()
        request = SocketRequest(url=f"{URL}?key=gemini-double")
        opening = client.network(request, client)
        client.clock.advance(0)
        socket = self.successResultOf(opening)
        socket.send(Message(json.dumps({"setup": SETUP}).encode(), False))
        client.clock.advance(0)
        self.assertEqual(client.messages[0], {"setupComplete": {}})

    def test_wrong_key(self) -> None:
        """A key that is not known is told after the set-up, in the farewell."""
        client = Client()
        client.open(key="other")
        self.assertEqual(client.ends, [(1007, "API key not valid.")])

    def test_refused(self) -> None:
        """Another path is not found; a plan may refuse any."""
        client = Client(refusals=[503])
        for url, status in ((URL, 503), ("wss://double/other", 404)):
            opening = client.network(SocketRequest(url=url), client)
            client.clock.advance(0)
            failure = self.failureResultOf(opening, SocketRefused)
            self.assertEqual(failure.value.status, status)
        self.assertIsNone(client.open().ended)
