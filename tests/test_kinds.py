"""Tests of the kinds of value."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice import kinds
from twistedvoice.kinds import Kind, endpoint_parts, is_loopback, is_tcp

_ACCOUNT = "AC" + "0" * 32
_PIECES = st.lists(
    st.sampled_from([":", "=", "\\", "interface", "0.0.0.0", "backlog", "5"]),
    max_size=6,
).map("".join)


class KindTests(SynchronousTestCase):
    """What each kind takes."""

    def assertTakes(self, kind: Kind, value: object, read: object) -> None:
        """``kind`` reads ``value`` as ``read``."""
        self.assertEqual(kind.read(value), read)

    def assertRefuses(self, kind: Kind, *values: object) -> None:
        """``kind`` takes none of these."""
        for value in values:
            with self.assertRaises(ValueError, msg=repr(value)):
                kind.read(value)

    def test_whole(self) -> None:
        """A whole number stays within its bounds and is no truth value."""
        self.assertTakes(kinds.whole(0), "12", 12)
        self.assertTakes(kinds.whole(0), 0, 0)
        self.assertTakes(kinds.whole(20, 1000), "1000", 1000)
        self.assertRefuses(kinds.whole(0), "-1", "many", "", "1.5", True, 1.0)
        self.assertRefuses(kinds.whole(20, 1000), "19", "1001")

    def test_seconds(self) -> None:
        """Seconds may be a fraction, are above zero and finite."""
        self.assertTakes(kinds.SECONDS, "0.5", 0.5)
        self.assertTakes(kinds.SECONDS, 3, 3.0)
        self.assertRefuses(kinds.SECONDS, "0", "-1", "nan", "inf", "", True, [1])

    def test_amount(self) -> None:
        """An amount is nothing or more; without one there is no limit."""
        self.assertTakes(kinds.AMOUNT_OR_NONE, "0", 0.0)
        self.assertTakes(kinds.AMOUNT_OR_NONE, 2.5, 2.5)
        self.assertTakes(kinds.AMOUNT_OR_NONE, "", None)
        self.assertRefuses(kinds.AMOUNT_OR_NONE, "-1", "nan", "inf", "cheap", True)

    def test_switch(self) -> None:
        """A switch is true or false, in any case."""
        self.assertTakes(kinds.SWITCH, "True", True)
        self.assertTakes(kinds.SWITCH, False, False)
        self.assertRefuses(kinds.SWITCH, "yes", "1", 1, "")

    def test_s3(self) -> None:
        """What becomes part of an object's URL needs no quoting there."""
        for kind, name in (
            (kinds.BUCKET, "my-calls.2026"),
            (kinds.REGION, "eu-west-1"),
            (kinds.KEY_PREFIX, "a_b/c-1.d/E"),
            (kinds.KEY_PREFIX, ""),
            (kinds.ACCESS_KEY_ID, "AKIA0"),
        ):
            self.assertTakes(kind, name, name)
        self.assertRefuses(kinds.BUCKET, "ab", "Calls", "a/b", "-ab", "a" * 64)
        self.assertRefuses(kinds.REGION, "", "EU", "a.b")
        self.assertRefuses(kinds.KEY_PREFIX, "/a", "a/", "a//b", "a/../b", "a b", "é")
        self.assertRefuses(kinds.ACCESS_KEY_ID, "", "a/b", "a b")

    def test_choice(self) -> None:
        """A choice is exactly one of its names."""
        self.assertTakes(kinds.choice("text", "json"), "json", "json")
        self.assertRefuses(kinds.choice("text", "json"), "JSON", "jso", "textjson", "")

    def test_url(self) -> None:
        """A URL is http or https, and loses the slash at its end."""
        self.assertTakes(kinds.URL, "https://a.example/", "https://a.example")
        self.assertTakes(kinds.URL, "http://a:80/b", "http://a:80/b")
        self.assertRefuses(kinds.URL, "a.example", "wss://a", "https://", "https://:1")
        self.assertRefuses(kinds.URL, "https://a/?b", "https://a/#b", "https://u@a")
        self.assertRefuses(kinds.URL, "https://a\n", "https://a:0", "https://a:65536")

    def test_receiver(self) -> None:
        """Who is told something has a whole URL, which stays as it is."""
        for text in ("https://a.example/hook/", "http://a:80/?shop=1"):
            self.assertTakes(kinds.RECEIVER, text, text)
        self.assertRefuses(kinds.RECEIVER, "a.example", "wss://a", "https://:1/x")
        self.assertRefuses(
            kinds.RECEIVER, "https://a/#b", "https://u:p@a/", "http://a:0"
        )

    def test_socket_url(self) -> None:
        """A key goes over TLS, or stays on this machine."""
        url = "wss://api.example.com/v1"
        self.assertTakes(kinds.SOCKET_URL, url, url)
        for here in ("127.0.0.1:8900", "localhost", "[::1]:1"):
            self.assertTakes(kinds.SOCKET_URL, f"ws://{here}/v1", f"ws://{here}/v1")
        self.assertRefuses(kinds.SOCKET_URL, "ws://example.com/", "ws://127.0.0.1.a/")
        self.assertRefuses(kinds.SOCKET_URL, "https://a", "wss://", "wss://a/?key=1")

    def test_endpoint(self) -> None:
        """An endpoint is of a type that Twisted knows and has a port that can be."""
        for text in (
            "tcp:8080",
            "tcp:0:interface=127.0.0.1",
            "ssl:443:privateKey=/k:certKey=/c",
            "systemd:domain=INET:name=public",
            "tcp6:8080",
            "unix:/run/x.sock",
        ):
            self.assertTakes(kinds.ENDPOINT, text, text)
        self.assertRefuses(kinds.ENDPOINT, "8080", "tpc:8080", "tcp", "tcp:x", "", 8080)
        self.assertRefuses(kinds.ENDPOINT, "tcp:65536", "tcp:-1", "tcp:80\\", "=tcp:80")

    def test_agent(self) -> None:
        """An agent is a short name or a dotted path."""
        for text in ("echo", "my-bot", "shop.voice.Desk", "shop.voice:Desk"):
            self.assertTakes(kinds.AGENT, text, text)
        self.assertRefuses(kinds.AGENT, "", ".x", "x.", "a b", "1x", "x/y", "a:", ":a")

    def test_paths(self) -> None:
        """A path is any text; only one that may be off may be empty."""
        self.assertTakes(kinds.PATH, "a b/ü", "a b/ü")
        self.assertTakes(kinds.PATH_OR_OFF, "", "")
        self.assertRefuses(kinds.PATH, "", "a\0b", False)
        self.assertRefuses(kinds.PATH_OR_OFF, False)

    def test_file_to_read(self) -> None:
        """A file that is to be read must be there."""
        path = self.mktemp()
        self.assertRefuses(kinds.FILE_TO_READ, path)
        with open(path, "w"):
            self.assertTakes(kinds.FILE_TO_READ, path, path)
        self.assertTakes(kinds.FILE_TO_READ, "", None)

    def test_phone_numbers(self) -> None:
        """A phone number has a plus and digits, and is not quoted when it is wrong."""
        self.assertTakes(kinds.PHONE_NUMBER, "+15550001234", "+15550001234")
        self.assertTakes(kinds.PHONE_NUMBER_OR_NONE, "", None)
        self.assertTakes(kinds.AFTER_STREAM, "dial:+4930123456", "dial:+4930123456")
        self.assertTakes(kinds.AFTER_STREAM, "rejoin", "rejoin")
        self.assertRefuses(kinds.PHONE_NUMBER, "", "5550001234", "+0555", "+1 555 000")
        self.assertRefuses(kinds.AFTER_STREAM, "dial:", "dial", "redirect")
        error = self.assertRaises(ValueError, kinds.PHONE_NUMBER.read, "5550001234")
        self.assertNotIn("555", str(error))

    def test_ids(self) -> None:
        """Ids have the form that their maker gives them."""
        self.assertTakes(kinds.ACCOUNT_SID, _ACCOUNT, _ACCOUNT)
        self.assertRefuses(kinds.ACCOUNT_SID, "AC123", _ACCOUNT + "0")
        self.assertRefuses(kinds.API_KEY_SID, _ACCOUNT)
        self.assertTakes(kinds.NODE_ID, "host-1.a_b", "host-1.a_b")
        self.assertRefuses(kinds.NODE_ID, "", "a b", "x" * 65)

    def test_secret(self) -> None:
        """A secret is printable, not empty, and never in a message."""
        self.assertTakes(kinds.SECRET, "a+b/c=", "a+b/c=")
        self.assertRefuses(kinds.SECRET, "", "a b", "a\ufffd", 1)
        error = self.assertRaises(ValueError, kinds.SECRET.read, "hush hush")
        self.assertNotIn("hush", str(error))

    def test_late_ms(self) -> None:
        """A limit of lateness is one that the meter can tell, or none."""
        self.assertEqual(kinds.LATE_MS_OR_OFF.read("40"), 40)
        self.assertEqual(kinds.LATE_MS_OR_OFF.read(0), 0)
        self.assertRefuses(kinds.LATE_MS_OR_OFF, "", "5", "-40", 41, 40.0, True)

    def test_quotes(self) -> None:
        """A wrong value that is no secret is quoted."""
        error = self.assertRaises(ValueError, kinds.whole(0).read, "many")
        self.assertEqual(str(error), "'many'")


class EndpointTests(SynchronousTestCase):
    """How endpoint descriptions are understood."""

    def test_parts(self) -> None:
        """Arguments are split at colons and the first equals sign."""
        self.assertEqual(
            endpoint_parts(r"tcp6:80:interface=\:\:1:x=a=b"),
            (["tcp6", "80"], {"interface": "::1", "x": "a=b"}),
        )

    def test_loopback(self) -> None:
        """Only an address of this machine, written out by name, is loopback."""
        for text in (
            "tcp:80:interface=127.0.0.1",
            "ssl:443:interface=127.0.0.1",
            r"tcp6:80:interface=\:\:1",
            "unix:/run/x.sock",
        ):
            self.assertTrue(is_loopback(text), text)
        for text in (
            "tcp:80",
            "tcp:80:127.0.0.1",
            "tcp:80:interface=",
            "tcp:80:interface=0.0.0.0",
            "tcp:80:interface=127.0.0.1.example",
            "tcp:80:interface=127.0.0.1:interface=0.0.0.0",
            r"tcp:80:interface\=127.0.0.1",
            "tcp:80:INTERFACE=127.0.0.1",
            "systemd:domain=INET:index=0:interface=127.0.0.1",
            "haproxy:tcp:80:interface=127.0.0.1",
        ):
            self.assertFalse(is_loopback(text), text)

    def test_tcp(self) -> None:
        """What listens on a TCP port of its own, whatever is spoken on it."""
        for text in ("tcp:80", "tcp6:80:interface=x", "ssl:443:privateKey=k"):
            self.assertTrue(is_tcp(text), text)
        for text in ("unix:/tcp", "systemd:domain=INET:index=0", "haproxy:tcp:80"):
            self.assertFalse(is_tcp(text), text)

    @settings(derandomize=True, database=None, deadline=None)
    @given(_PIECES, _PIECES)
    def test_as_twisted_reads_it(self, before: str, after: str) -> None:
        """What we take for loopback, Twisted binds to loopback, however it is put."""
        text = f"tcp:80{before}:interface=127.0.0.1{after}"
        try:
            ours = is_loopback(text)
        except ValueError:
            return
        reactor = MemoryReactor()
        try:
            serverFromString(reactor, text).listen(Factory())
        except (TypeError, ValueError):
            return
        bound = reactor.tcpServers[0][3]
        if ours:
            self.assertEqual(bound, "127.0.0.1")
