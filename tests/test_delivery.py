"""Tests of what must fit together for recordings to be exported and uploaded."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.delivery import undeliverable

_KEY: dict[str, Any] = {"s3.access_key_id": "AKIA", "s3.secret_access_key": "x"}
_OFF: dict[str, Any] = {
    "recordings": "/recordings",
    "export.format": "off",
    "s3.bucket": None,
    "s3.endpoint": None,
    "s3.access_key_id": None,
    "s3.secret_access_key": None,
}


class UndeliverableTests(SynchronousTestCase):
    """The rules, broken one by one."""

    def assert_keys(self, given: dict[str, Any], *keys: str) -> None:
        """There are problems with these keys, and no others."""
        found = [problem.split(":")[0] for problem in undeliverable(_OFF | given)]
        self.assertEqual(found, [*keys])

    def test_right(self) -> None:
        """Nothing is wanted, or all that is wanted is there."""
        self.assert_keys({})
        self.assert_keys({"export.format": "opus", "s3.bucket": "calls"} | _KEY)

    def test_no_recordings(self) -> None:
        """Without recordings there is nothing to export or to upload."""
        self.assert_keys({"recordings": "", "export.format": "flac"}, "recordings")
        self.assert_keys({"recordings": "", "s3.bucket": "calls"} | _KEY, "recordings")

    def test_key(self) -> None:
        """A bucket needs both halves of a key, and a key a bucket."""
        self.assert_keys({"s3.bucket": "calls"}, *_KEY)
        for key in _KEY:
            self.assert_keys({key: "x"}, "s3.bucket")
        self.assert_keys({"s3.endpoint": "https://s3.example"}, "s3.bucket")

    def test_webhook(self) -> None:
        """Whoever is told must be able to check it; a wrong secret is not repeated."""
        told = {"webhook.url": "https://a", "webhook.secret": "whsec_" + "k" * 32}
        self.assert_keys(told)
        self.assert_keys(told | {"webhook.secret": None}, "webhook.secret")
        self.assert_keys(told | {"recordings": ""}, "recordings")
        wrong = {"webhook.secret": "k" * 40, "webhook.secret_secondary": "whsec_kkkk"}
        self.assert_keys(told | wrong, *wrong)
        self.assertNotIn("kkk", "".join(undeliverable(_OFF | told | wrong)))

    def test_not_installed(self) -> None:
        """What is not installed is named, and how to install it."""
        given = _OFF | _KEY | {"export.format": "flac", "s3.bucket": "calls"}
        self.assertEqual(
            [*undeliverable(given, lambda name: None)],
            [
                "export: export.format is flac, which needs soundfile;"
                " pip install 'twistedvoice[export]'",
                "s3: s3.bucket is set, which needs botocore;"
                " pip install 'twistedvoice[s3]'",
            ],
        )

    def test_unread_values(self) -> None:
        """A value that could not be read is not reported a second time."""
        self.assertEqual([*undeliverable(_KEY)], [])
        self.assertEqual([*undeliverable({"s3.bucket": "calls"})], [])
