"""Tests of ``twistedvoice.web.gate``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import RequestRefused
from twistedvoice.web.gate import Gate

from .doors import (
    CARRIER,
    FORM,
    LOOPBACK,
    SECONDARY,
    STREAM,
    SUBACCOUNT,
    TOKEN,
    URL,
    Doors,
    signature,
)

__all__ = ["LoopbackTests", "SignatureTests"]

VOICE = URL + "/twilio/voice"


class GateTestCase(SynchronousTestCase):
    """A gate, and what it says to those it turns away."""

    gate: Gate

    def assert_refused(self, reason: str, ask: Callable[[], object]) -> None:
        """It is refused for one reason, which is counted."""
        before = self.gate.refused[reason]
        refused = self.assertRaises(RequestRefused, ask)
        self.assertEqual((refused.reason, refused.status), (reason, 403))
        self.assertEqual(self.gate.refused[reason], before + 1)


class SignatureTests(GateTestCase):
    """Only what the carrier signed, for our own URL, is let in."""

    def setUp(self) -> None:
        self.gate = Doors().gate

    def form(
        self, signed: str, form: Mapping[str, str] = FORM, path: str = "/twilio/voice"
    ) -> None:
        """Bring a form with this signature."""
        headers = {"x-twilio-signature": signed} if signed else {}
        self.gate.check_form(path, list(form.items()), headers, CARRIER)

    def test_both_tokens_count(self) -> None:
        """While a token is rotated the old and the new sign alike."""
        self.form(signature(VOICE, FORM, TOKEN))
        self.form(signature(VOICE, FORM, SECONDARY))
        self.assertEqual(self.gate.refused, {})

    def test_subaccount_signs_with_its_own_token(self) -> None:
        """The token of a subaccount is good for that account and no other."""
        theirs = {**FORM, "AccountSid": SUBACCOUNT}
        self.form(signature(VOICE, theirs, "sub-token"), theirs)
        for form, token in ((theirs, TOKEN), (FORM, "sub-token")):
            signed = signature(VOICE, form, token)
            self.assert_refused("signature", partial(self.form, signed, form))

    def test_missing_wrong_and_foreign_signatures(self) -> None:
        """None, a made-up one, another URL's and another form's are refused."""
        other = {**FORM, "To": "+15550000000"}
        for signed in (
            "",
            "AAAA",
            signature(VOICE, FORM, "not the token"),
            signature(URL + "/twilio/status", FORM),
            signature("https://elsewhere.example.com/twilio/voice", FORM),
            signature(VOICE, other),
        ):
            self.assert_refused("signature", partial(self.form, signed))

    def test_unknown_account(self) -> None:
        """An account without a token can sign nothing, not even with an empty one."""
        stranger = {**FORM, "AccountSid": "AC" + "0" * 32}
        for token in (TOKEN, ""):
            signed = signature(VOICE, stranger, token)
            self.assert_refused("signature", partial(self.form, signed, stranger))

    def test_query_is_signed_too(self) -> None:
        """A changed query is refused."""
        path = "/twilio/voice?rejoin=1"
        signed = signature(URL + path, FORM)
        self.form(signed, path=path)
        self.assert_refused(
            "signature", lambda: self.form(signed, path="/twilio/voice?rejoin=0")
        )

    def test_host_of_the_request_means_nothing(self) -> None:
        """The URL is the one configured, whatever the request says of itself."""
        signed = signature("https://evil.example.com/twilio/voice", FORM)
        headers = {
            "host": "evil.example.com",
            "x-forwarded-host": "evil.example.com",
            "x-twilio-signature": signed,
        }
        self.assert_refused(
            "signature",
            lambda: self.gate.check_form(
                "/twilio/voice", list(FORM.items()), headers, LOOPBACK
            ),
        )

    def test_upgrade(self) -> None:
        """An upgrade is signed for the URL of the stream, by any of our tokens."""
        for token in (TOKEN, SECONDARY, "sub-token"):
            headers = {"x-twilio-signature": signature(STREAM, token=token)}
            self.gate.check_upgrade("/twilio/media", headers, CARRIER)
        for headers in ({}, {"x-twilio-signature": signature(STREAM, token="no")}):
            self.assert_refused(
                "signature",
                partial(self.gate.check_upgrade, "/twilio/media", headers, CARRIER),
            )

    def test_loopback_is_nobody_special(self) -> None:
        """Without the switch a request from this machine must be signed as well."""
        self.assert_refused(
            "signature",
            lambda: self.gate.check_form(
                "/twilio/voice", list(FORM.items()), {}, LOOPBACK
            ),
        )

    def test_url_may_change(self) -> None:
        """A new public URL counts from the next request on."""
        self.gate.public_url = "https://new.example.com/"
        self.form(signature("https://new.example.com/twilio/voice", FORM))


class LoopbackTests(GateTestCase):
    """The switch for development lets in this machine, and nobody through a proxy."""

    def setUp(self) -> None:
        self.gate = Doors(trusted=True).gate

    def checks(
        self, headers: Mapping[str, str], peer: str
    ) -> list[Callable[[], object]]:
        """:returns: the same request in each of its kinds."""
        return [
            lambda: self.gate.check_form("/twilio/voice", [], headers, peer),
            lambda: self.gate.check_body("/twilio/voice", b"", headers, peer),
            lambda: self.gate.check_upgrade("/twilio/media", headers, peer),
        ]

    def test_this_machine(self) -> None:
        """Any loopback address, and a Unix socket, needs no signature."""
        for peer in ("127.0.0.1", "127.1.2.3", "::1", ""):
            for check in self.checks({}, peer):
                check()
        self.assertEqual(self.gate.refused, {})

    def test_other_machines(self) -> None:
        """Whoever comes from elsewhere is refused, signed or not."""
        headers = {"x-twilio-signature": signature(VOICE, FORM)}
        for peer in (CARRIER, "10.0.0.1", "2001:db8::1", "0.0.0.0", "::"):
            for check in self.checks(headers, peer):
                self.assert_refused("not_loopback", check)

    def test_what_a_proxy_forwarded(self) -> None:
        """A request that came through a proxy is from outside, whatever its peer."""
        for name in ("forwarded", "x-forwarded-for", "x-forwarded-proto"):
            for check in self.checks({name: "for=203.0.113.7"}, LOOPBACK):
                self.assert_refused("forwarded", check)
