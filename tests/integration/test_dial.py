"""Sockets to other services over real TCP and TLS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, wrapClientTLS
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate, PrivateCertificate, optionsForClientTLS
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from tests.web.dial_contract import Ear, Operator
from twistedvoice.doubles.server import ServiceFactory
from twistedvoice.errors import SocketRefused
from twistedvoice.events import Message
from twistedvoice.sockets import SocketRequest
from twistedvoice.web.dial import AutobahnDialer

__all__ = ["DialTests"]


def certificate() -> PrivateCertificate:
    """:returns: a key, and a certificate for localhost that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem = signed.public_bytes(Encoding.PEM) + key.private_bytes(*form)
    loaded: PrivateCertificate = PrivateCertificate.loadPEM(pem)
    return loaded


class DialTests(TestCase):
    """A dialer and a service on this machine."""

    def setUp(self) -> None:
        self.reactor: Any = reactor
        self.operator, self.ear = Operator(), Ear()
        self.dial = AutobahnDialer(reactor)

    def listen(self, key: PrivateCertificate | None = None) -> int:
        """:returns: the port of a service, over TLS when there is a key."""
        factory = ServiceFactory(reactor, self.operator)
        if key is None:
            port = self.reactor.listenTCP(0, factory, interface="127.0.0.1")
        else:
            port = self.reactor.listenSSL(
                0, factory, key.options(), interface="127.0.0.1"
            )
        self.addCleanup(port.stopListening)
        number: int = port.getHost().port
        return number

    async def converse(self, dial: AutobahnDialer, url: str) -> None:
        """Say something, be answered, and hang up."""
        socket = await dial(SocketRequest(url=url), self.ear)
        socket.send(Message(b"hello", False))
        self.operator.socket.send(Message(b"well", True))
        while not (self.operator.ear.messages and self.ear.messages):
            await deferLater(self.reactor, 0.005)
        socket.close()
        while not self.operator.ear.ends:
            await deferLater(self.reactor, 0.005)
        self.assertEqual(self.operator.ear.messages, [Message(b"hello", False)])
        self.assertEqual(self.ear.messages, [Message(b"well", True)])
        await deferLater(self.reactor, 0.02)  # the last of TCP

    async def test_plain(self) -> None:
        """Both sides are heard over plain TCP."""
        await self.converse(self.dial, f"ws://127.0.0.1:{self.listen()}/")

    async def test_secure(self) -> None:
        """Both sides are heard over TLS, when the certificate can be trusted."""
        key = certificate()
        trust = optionsForClientTLS("localhost", Certificate.load(key.dump()))

        def endpoint(host: str, port: int, secure: bool) -> Any:
            plain = TCP4ClientEndpoint(self.reactor, "127.0.0.1", port)
            return wrapClientTLS(trust, plain)

        dial = AutobahnDialer(reactor, endpoint)
        await self.converse(dial, f"wss://localhost:{self.listen(key)}/")

    async def test_nobody_trusts_it(self) -> None:
        """A service that nobody vouches for gets no request, and so no key."""
        url = f"wss://localhost:{self.listen(certificate())}/"
        await self.assertFailure(
            self.dial(SocketRequest(url=url), self.ear), SocketRefused
        )
        self.assertEqual(self.operator.requests, [])

    async def test_nobody_listens(self) -> None:
        """A port without a service is told as what it is."""
        port = self.reactor.listenTCP(0, Factory(), interface="127.0.0.1")
        url = f"ws://127.0.0.1:{port.getHost().port}/"
        await port.stopListening()
        opening = self.dial(SocketRequest(url=url), self.ear)
        refused = await self.assertFailure(opening, SocketRefused)
        self.assertEqual(str(refused), "nobody listens there")
