"""Tests for :mod:`twistedvoice.carriers.twilio.markup`."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from twilio.twiml.voice_response import Connect, VoiceResponse
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.carriers.twilio import markup

from .junk import steady

STREAM = "wss://voice.example.com/twilio/media"
NASTY = "a & b <c> \"d\" 'e' ]]> \t\r\n ü😀"


def canonical(document: str) -> str:
    """:returns: the document with all that does not matter made equal."""
    return ElementTree.canonicalize(document, strip_text=True)


def spoken(document: str) -> list[str]:
    """:returns: the names of the verbs, in order."""
    response = ElementTree.fromstring(document)
    assert response.tag == "Response"
    return [verb.tag for verb in response]


class OracleTests(SynchronousTestCase):
    """Each document is what Twilio's own library would write."""

    def assert_same(self, ours: str, theirs: VoiceResponse) -> None:
        """Both documents say the same."""
        self.assertEqual(canonical(ours), canonical(str(theirs)))

    def test_connect_stream(self) -> None:
        """A stream with parameters, and the three ways to go on."""
        params = {"token": "T0k-en_", "greeting": NASTY}
        for after, say in (
            (markup.HangUp(), lambda response: response.hangup()),
            (
                markup.Redirect("https://example.com/again?a=1&b=2"),
                lambda response: response.redirect("https://example.com/again?a=1&b=2"),
            ),
            (markup.Dial("+15550100"), lambda response: response.dial("+15550100")),
        ):
            theirs = VoiceResponse()
            connect = Connect()
            stream = connect.stream(url=STREAM)
            for name, value in params.items():
                stream.parameter(name=name, value=value)
            theirs.append(connect)
            say(theirs)
            self.assert_same(markup.connect_stream(STREAM, params, after=after), theirs)

    def test_busy(self) -> None:
        """A refused call hears the busy tone."""
        theirs = VoiceResponse()
        theirs.reject(reason="busy")
        self.assert_same(markup.busy(), theirs)

    def test_transfer(self) -> None:
        """A caller is put through."""
        theirs = VoiceResponse()
        theirs.dial("+15550100")
        self.assert_same(markup.transfer("+15550100"), theirs)

    def test_redirect(self) -> None:
        """A call goes on elsewhere."""
        theirs = VoiceResponse()
        theirs.redirect("https://example.com/?a=1&b=2")
        self.assert_same(markup.redirect("https://example.com/?a=1&b=2"), theirs)


class SafetyTests(SynchronousTestCase):
    """No value can say more than itself."""

    def test_order(self) -> None:
        """What follows the stream comes after it, or it would never be reached."""
        document = markup.connect_stream(STREAM, {}, after=markup.Dial("+15550100"))
        self.assertEqual(spoken(document), ["Connect", "Dial"])

    @steady
    @given(st.text(st.characters(), max_size=30))
    def test_any_text(self, text: str) -> None:
        """Any text arrives as it is, or is refused because XML cannot carry it."""
        try:
            document = markup.connect_stream(
                STREAM, {text: text}, after=markup.Redirect(text)
            )
        except ValueError as error:
            self.assertIn("XML", str(error))
            return
        response = ElementTree.fromstring(document.encode())
        (parameter,) = response.iter("Parameter")
        self.assertEqual(parameter.attrib, {"name": text, "value": text})
        self.assertEqual(response.findtext("Redirect"), text)

    def test_nasty(self) -> None:
        """Quotes, tags and line ends are text like any other."""
        for document, path in (
            (markup.transfer(NASTY), "Dial"),
            (markup.redirect(NASTY), "Redirect"),
        ):
            self.assertEqual(spoken(document), [path])
            found = ElementTree.fromstring(document).findtext(path)
            self.assertEqual(found, NASTY)

    def test_not_xml(self) -> None:
        """Characters that no XML can hold are refused, not dropped."""
        for text in ("\0", "a\x1f", "\ufffe", "\ud800"):
            self.assertRaises(ValueError, markup.transfer, text)

    def test_query_string(self) -> None:
        """A stream's URL with a query string would fail with error 31920."""
        with self.assertRaisesRegex(ValueError, "parameter"):
            markup.connect_stream(STREAM + "?a=1", {}, after=markup.HangUp())

    def test_long_parameter(self) -> None:
        """Name and value together stay under 500 characters, and no value is shown."""
        fits = {"token": "x" * 494}
        markup.connect_stream(STREAM, fits, after=markup.HangUp())
        with self.assertRaises(ValueError) as caught:
            long = {"token": "x" * 495}
            markup.connect_stream(STREAM, long, after=markup.HangUp())
        self.assertIn("token", str(caught.exception))
        self.assertNotIn("xx", str(caught.exception))

    def test_repr(self) -> None:
        """A number is not in the repr of what dials it."""
        self.assertNotIn("555", repr(markup.Dial("+15550100")))


class StreamUrlTests(SynchronousTestCase):
    """The address of the WebSocket."""

    def test_schemes(self) -> None:
        """A secure service has a secure socket, and a plain one a plain one."""
        for public_url, expected in (
            ("https://voice.example.com", STREAM),
            ("https://voice.example.com/", STREAM),
            ("https://example.com:8443/a/", "wss://example.com:8443/a/twilio/media"),
            ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/twilio/media"),
        ):
            self.assertEqual(markup.stream_url(public_url, "/twilio/media"), expected)
