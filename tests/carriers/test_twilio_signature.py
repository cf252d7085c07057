"""Tests for :mod:`twistedvoice.carriers.twilio.signature`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.carriers.twilio.signature import (
    sign,
    verify_body,
    verify_form,
    verify_upgrade,
)

from .junk import steady

TOKEN = "12345"
TOKENS = (TOKEN,)
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = (
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
)
SIGNED = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
MANY = (
    ("Sid", "CA123"),
    ("SidAccount", "AC123"),
    ("Digits", "5678"),
    ("Digits", "1234"),
    ("Digits", "1234"),
)
BODY = b'{"property": "value", "boolean": true}'
BODY_URL = (
    URL + "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
)
BODY_SIGNED = "a9nBmqA0ju/hNViExpshrM61xv4="
STREAM = "wss://example.com/audiostream"


class PublishedTests(SynchronousTestCase):
    """The vectors of Twilio's own libraries, and our own for the upgrade."""

    def test_forms(self) -> None:
        """Each published form has its published signature, and is let in."""
        for url, form, signed in (
            (URL, FORM, SIGNED),
            (
                "https://mycompany.com:443/myapp.php?foo=1&bar=2",
                FORM,
                "kvajT1Ptam85bY51eRf/AJRuM3w=",
            ),
            (
                "http://mycompany.com:80/myapp.php?foo=1&bar=2",
                FORM,
                "0ZXoZLH/DfblKGATFgpif+LLRf4=",
            ),
            (URL, MANY, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
        ):
            self.assertEqual(sign(TOKEN, url, form), signed)
            self.assertTrue(verify_form(TOKENS, url, form, signed))

    def test_body(self) -> None:
        """The published JSON webhook is let in."""
        self.assertEqual(sign(TOKEN, BODY_URL), BODY_SIGNED)
        self.assertTrue(verify_body(TOKENS, BODY_URL, BODY, BODY_SIGNED))

    def test_upgrades(self) -> None:
        """Every form of the stream's URL that may have been signed is let in."""
        for url, signed in (
            (STREAM, "h1GDe9X4/sxGZmaZfzZVvygMML0="),
            ("wss://example.com:443/audiostream", "rL8gnbTtNpLDu9fWxozCZ2xrP68="),
            (STREAM + "/", "pA7u5BhDtgkynBQ7ElFK/UOByGg="),
            ("https://example.com/audiostream", "L2EgZfO7O92nD2K3YQ439vQNcNE="),
        ):
            self.assertEqual(sign(TOKEN, url), signed)
            self.assertTrue(verify_upgrade(TOKENS, STREAM, signed))


class FormTests(SynchronousTestCase):
    """Webhooks posted as forms."""

    def test_ports(self) -> None:
        """A port that goes without saying may be signed or not."""
        with_port = "https://mycompany.com:443/myapp.php?foo=1&bar=2"
        self.assertTrue(verify_form(TOKENS, with_port, FORM, SIGNED))
        self.assertTrue(verify_form(TOKENS, URL, FORM, sign(TOKEN, with_port, FORM)))
        odd = "https://mycompany.com:8443/"
        self.assertTrue(verify_form(TOKENS, odd, (), sign(TOKEN, odd)))

    def test_order_of_pairs(self) -> None:
        """Pairs count whatever their order, and once however often they come."""
        signed = sign(TOKEN, URL, MANY)
        self.assertEqual(sign(TOKEN, URL, reversed(MANY)), signed)
        self.assertTrue(verify_form(TOKENS, URL, iter(set(MANY)), signed))

    def test_fragment(self) -> None:
        """Connection overrides are in the fragment, which is not signed."""
        self.assertTrue(verify_form(TOKENS, URL + "#rc=2&rt=\n1", FORM, SIGNED))

    def test_changed(self) -> None:
        """Whatever is changed, the request is not let in."""
        self.assertFalse(verify_form(TOKENS, URL + "3", FORM, SIGNED))
        self.assertFalse(verify_form(TOKENS, URL, FORM[1:], SIGNED))
        self.assertFalse(verify_form(TOKENS, URL, (*FORM, ("A", "")), SIGNED))
        self.assertFalse(verify_form(("54321",), URL, FORM, SIGNED))
        other = "https://mycompany.com:8443/myapp.php?foo=1&bar=2"
        self.assertFalse(verify_form(TOKENS, URL, FORM, sign(TOKEN, other, FORM)))

    def test_headers(self) -> None:
        """A header that is missing, cut or absurd lets nobody in."""
        for header in ("", SIGNED[:-1], SIGNED + "=", SIGNED.lower(), "ü", "\udcff"):
            self.assertFalse(verify_form(TOKENS, URL, FORM, header))

    def test_rotation(self) -> None:
        """The primary and the secondary token both count."""
        self.assertTrue(verify_form(("new", TOKEN), URL, FORM, SIGNED))
        self.assertTrue(verify_form((TOKEN, "new"), URL, FORM, SIGNED))

    def test_no_token(self) -> None:
        """Without a token nobody is let in, nor who signs with an empty one."""
        for tokens in ((), ("",), ("", "")):
            self.assertFalse(verify_form(tokens, URL, FORM, sign("", URL, FORM)))
            self.assertFalse(verify_upgrade(tokens, STREAM, sign("", STREAM)))

    def test_relative_url(self) -> None:
        """A URL that is none is the caller's mistake, never a request's."""
        self.assertRaises(ValueError, verify_form, TOKENS, "/voice", FORM, SIGNED)

    def test_odd_paths(self) -> None:
        """Whatever path a request asks for, it is merely not signed."""
        for path in (
            "*",
            "",
            "/\n",
            "/#\n#",
            "http://evil/",
            "/?#?",
            ":99999/",
            "/\ud800",
        ):
            self.assertFalse(verify_form(TOKENS, "https://host" + path, (), SIGNED))


class BodyTests(SynchronousTestCase):
    """Webhooks posted as JSON."""

    def test_ports(self) -> None:
        """The rule of the ports holds here too."""
        with_port = BODY_URL.replace(".com/", ".com:443/")
        self.assertTrue(verify_body(TOKENS, with_port, BODY, BODY_SIGNED))

    def test_changed(self) -> None:
        """Another body, digest or signature lets nobody in."""
        self.assertFalse(verify_body(TOKENS, BODY_URL, BODY + b" ", BODY_SIGNED))
        self.assertFalse(verify_body(TOKENS, BODY_URL, BODY, SIGNED))
        digest = hashlib.sha256(b"other").hexdigest()
        forged = f"{URL}&bodySHA256={digest}"
        self.assertFalse(verify_body(TOKENS, forged, b"other", BODY_SIGNED))

    def test_no_digest(self) -> None:
        """A URL without a digest does not vouch for any body."""
        self.assertFalse(verify_body(TOKENS, URL, b"", sign(TOKEN, URL)))
        hidden = URL + "#&bodySHA256=" + hashlib.sha256(b"").hexdigest()
        self.assertFalse(verify_body(TOKENS, hidden, b"", sign(TOKEN, URL)))


class UpgradeTests(SynchronousTestCase):
    """The WebSocket's handshake."""

    def test_candidates(self) -> None:
        """Port, slash and scheme may differ, each alone and together."""
        for url in (
            "wss://example.com:80/audiostream",
            "wss://example.com:443/audiostream/",
            "https://example.com:443/audiostream",
            "https://example.com/audiostream/",
        ):
            self.assertTrue(verify_upgrade(TOKENS, STREAM, sign(TOKEN, url)))
            self.assertTrue(verify_upgrade(TOKENS, STREAM + "/", sign(TOKEN, url)))

    def test_own_port(self) -> None:
        """A service on a port of its own is let in under it."""
        url = "wss://example.com:8443/audiostream"
        self.assertTrue(verify_upgrade(TOKENS, url, sign(TOKEN, url)))

    def test_rotation(self) -> None:
        """The secondary token counts."""
        self.assertTrue(verify_upgrade(("new", TOKEN), STREAM, sign(TOKEN, STREAM)))

    def test_changed(self) -> None:
        """Another host, path, port or token lets nobody in."""
        for url in (
            "wss://example.org/audiostream",
            "wss://example.com/audio",
            "wss://example.com:8443/audiostream",
            "wss://example.com/audiostream?a=1",
        ):
            self.assertFalse(verify_upgrade(TOKENS, STREAM, sign(TOKEN, url)))
        self.assertFalse(verify_upgrade(TOKENS, STREAM, sign("54321", STREAM)))
        self.assertFalse(verify_upgrade(TOKENS, STREAM, ""))


_NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_FORMS = st.dictionaries(_NAMES, st.lists(_NAMES, min_size=1, max_size=3), max_size=5)
_URLS = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(("http", "https", "wss")),
    st.sampled_from(("example.com", "a.b-c.example")),
    st.sampled_from(("", ":80", ":443", ":8443")),
    st.sampled_from(("/", "/voice", "/voice/a%20b?x=%C3%BC&y=", "/?a=1")),
)


class _Values(dict[str, Sequence[str]]):
    """A form as Flask gives it, which the oracle can read."""

    def getall(self, name: str) -> Sequence[str]:
        return self[name]


class OracleTests(SynchronousTestCase):
    """Twilio's own library is of our opinion."""

    @steady
    @given(st.text("abc019", min_size=1), _URLS, _FORMS)
    def test_sign(self, token: str, url: str, form: dict[str, list[str]]) -> None:
        """Both sign any form alike."""
        theirs = RequestValidator(token).compute_signature(url, _Values(form))
        pairs = [(name, value) for name, values in form.items() for value in values]
        self.assertEqual(sign(token, url, pairs), theirs)

    @steady
    @given(_URLS, _URLS, st.sampled_from((TOKEN, "54321")))
    def test_verify(self, signed_url: str, url: str, token: str) -> None:
        """Both let in the same requests, whichever URL was signed."""
        header = sign(token, signed_url, FORM)
        theirs = RequestValidator(TOKEN).validate(url, dict(FORM), header)
        self.assertEqual(verify_form(TOKENS, url, FORM, header), theirs)

    @steady
    @given(_URLS, st.text("{}ab", max_size=9), st.text("{}ab", max_size=9))
    def test_body(self, url: str, signed_body: str, body: str) -> None:
        """Both let in the same bodies."""
        digest = hashlib.sha256(signed_body.encode()).hexdigest()
        url += ("&" if "?" in url else "?") + f"bodySHA256={digest}"
        header = sign(TOKEN, url)
        theirs = RequestValidator(TOKEN).validate(url, body, header)
        self.assertEqual(verify_body(TOKENS, url, body.encode(), header), theirs)
