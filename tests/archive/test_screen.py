"""Tests for :mod:`twistedvoice.archive.screen`."""

from __future__ import annotations

import io
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.test_table import Terminal
from twistedvoice.archive import screen
from twistedvoice.archive.screen import tell, watched


class ScreenTests(SynchronousTestCase):
    """What is seen."""

    def gone_through(self, errors: io.StringIO) -> str:
        """:returns: what is drawn while things are gone through."""
        self.patch(sys, "stderr", errors)
        out = io.StringIO()
        self.patch(sys, "stdout", out)
        self.assertEqual(list(watched(iter("abc"), "looking", 3)), ["a", "b", "c"])
        self.assertEqual(out.getvalue(), "")
        return errors.getvalue()

    def test_bar(self) -> None:
        """People see how far it is."""
        self.assertIn("looking ...", self.gone_through(Terminal()))

    def test_no_terminal(self) -> None:
        """Where nobody looks there is no bar."""
        self.assertEqual(self.gone_through(io.StringIO()), "")

    def test_no_rich(self) -> None:
        """Without rich there is none either."""
        self.patch(screen, "find_spec", lambda name: None)
        self.assertEqual(self.gone_through(Terminal()), "")

    def test_tell(self) -> None:
        """People read words, programs JSON."""
        out = io.StringIO()
        self.patch(sys, "stdout", out)
        tell({"a": 1}, "one", as_json=False)
        tell({"a": 1}, "one", as_json=True)
        self.assertEqual(out.getvalue(), 'one\n{"a": 1}\n')
