"""Messages of others, taken apart."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.foreign import code_of, text_of

__all__ = ["ForeignTests"]


class ForeignTests(SynchronousTestCase):
    """What may stand in a message."""

    def test_code(self) -> None:
        """A code is a short text or a number; nothing else is shown."""
        for value, code in (
            ("rate_limit", "rate_limit"),
            (429, "429"),
            ("x" * 99, "x" * 40),
            ({"message": "secret"}, ""),
            (None, ""),
        ):
            self.assertEqual(code_of(value), code)

    def test_text(self) -> None:
        """Text is text."""
        self.assertEqual(text_of("hello"), "hello")
        values: list[object] = [None, 3, ["hello"], {}]
        for value in values:
            self.assertRaises(TypeError, text_of, value)
