"""Tests of the log's form and of masking."""

from __future__ import annotations

import json
from io import StringIO
from typing import Literal

from twisted.logger import ILogObserver, Logger
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twistedvoice.logs import LogOutput, masked


class LogOutputTests(SynchronousTestCase):
    """Events as lines."""

    def log(self, format: Literal["text", "json"]) -> tuple[LogOutput, Logger]:  # noqa: A002
        """A log that is written to ``self.out``."""
        self.out = StringIO()
        output = LogOutput(self.out, format=format)
        return output, Logger(namespace="house", observer=output)

    def test_interface(self) -> None:
        """Twisted can use it as an observer."""
        output, _ = self.log("text")
        self.assertTrue(verifyObject(ILogObserver, output))

    def test_text(self) -> None:
        """As text an event is a line that people read."""
        _, logger = self.log("text")
        logger.info("call {call_id} began", call_id="CA1")
        line = self.out.getvalue()
        self.assertIn("[house#info] call CA1 began", line)
        self.assertEqual(line.count("\n"), 1)

    def test_json(self) -> None:
        """As JSON an event is a line with its fields by name."""
        _, logger = self.log("json")
        logger.info("call {call_id} began", call_id="CA1")
        logger.warn("again")
        first, second = map(json.loads, self.out.getvalue().splitlines())
        self.assertEqual(first["call_id"], "CA1")
        self.assertEqual(second["log_format"], "again")

    def test_level(self) -> None:
        """What is below the level is dropped; the level may change at any time."""
        output, logger = self.log("text")
        logger.debug("one")
        output.set_level("debug")
        logger.debug("two")
        output.set_level("error")
        logger.warn("three")
        logger.error("four")
        lines = self.out.getvalue().splitlines()
        self.assertEqual([line.split()[-1] for line in lines], ["two", "four"])

    def test_http_client(self) -> None:
        """Connections that Twisted's HTTP client makes are no news."""
        output, _ = self.log("text")
        client = Logger(namespace="twisted.web.client._Factory", observer=output)
        for level in ("info", "error"):
            output.set_level(level)
            client.info("starting")
            client.warn(f"odd at {level}")
        lines = self.out.getvalue().splitlines()
        self.assertEqual([line.split()[-1] for line in lines], ["info"])

    def test_strangers(self) -> None:
        """What a stranger wrote into a bad handshake is not logged."""
        output, _ = self.log("text")
        autobahn = Logger(namespace="autobahn.twisted.websocket", observer=output)
        output.set_level("info")
        autobahn.warn("failing WebSocket opening handshake")
        autobahn.error("broken")
        lines = self.out.getvalue().splitlines()
        self.assertEqual([line.split()[-1] for line in lines], ["broken"])


class MaskedTests(SynchronousTestCase):
    """Phone numbers in a log."""

    def test_whole(self) -> None:
        """The middle of a number is hidden, and how long it is."""
        self.assertEqual(masked("+15550001234"), "+1555***1234")
        self.assertEqual(masked("+4915112345678"), "+4915***5678")

    def test_short(self) -> None:
        """Of a shorter number less is shown, and of the shortest nothing."""
        self.assertEqual(masked("+4930123456"), "***56")
        self.assertEqual(masked("1234"), "***")
        self.assertEqual(masked(""), "***")
