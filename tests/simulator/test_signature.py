"""The carrier's signatures, against the vectors it publishes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.simulator.signature import sign

FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]


class SignatureTests(SynchronousTestCase):
    """All vectors use the token ``12345``."""

    def assert_signed(
        self, url: str, form: list[tuple[str, str]], signature: str
    ) -> None:
        """Assert what a request is signed with."""
        self.assertEqual(sign("12345", url, form), signature)

    def test_form(self) -> None:
        """The names and values of a form follow the URL in order."""
        self.assert_signed(
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            FORM,
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        )

    def test_port_is_signed_as_written(self) -> None:
        """An explicit port is part of the URL."""
        self.assert_signed(
            "https://mycompany.com:443/myapp.php?foo=1&bar=2",
            FORM,
            "kvajT1Ptam85bY51eRf/AJRuM3w=",
        )

    def test_repeated_values_count_once(self) -> None:
        """A name with several values signs each distinct one, sorted."""
        self.assert_signed(
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            [
                ("Sid", "CA123"),
                ("SidAccount", "AC123"),
                ("Digits", "5678"),
                ("Digits", "1234"),
                ("Digits", "1234"),
            ],
            "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
        )

    def test_upgrade(self) -> None:
        """An upgrade signs its URL alone."""
        self.assert_signed(
            "wss://example.com/audiostream", [], "h1GDe9X4/sxGZmaZfzZVvygMML0="
        )
