# -*- test-case-name: tests.agents.cascade.test_sentences -*-
"""Sentences out of text that comes in pieces."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.cascade.sentences import Sentences

__all__ = ["SentencesTests"]


def sentences(text: str, size: int = 3) -> list[str]:
    """:returns: the sentences of ``text`` that comes in pieces of a size."""
    cut, found = Sentences(), list[str]()
    for start in range(0, len(text), size):
        found += cut.push(text[start : start + size])
    return found + cut.finish()


class SentencesTests(SynchronousTestCase):
    """Where a text is cut."""

    def test_ends(self) -> None:
        """A sentence ends at its mark, with the quotes and brackets that close it."""
        for text, wanted in (
            ("Hello there! How are you?", ["Hello there!", "How are you?"]),
            ('He said "no." (Yes.) Bye', ['He said "no."', "(Yes.)", "Bye"]),
            ("One\nTwo\n\n- three", ["One", "Two", "- three"]),
            ("Well... yes. No", ["Well...", "yes.", "No"]),
            ("你好。再见！", ["你好。", "再见！"]),  # noqa: RUF001
            ("  \n ", []),
        ):
            for size in (1, 2, 5, 100):
                self.assertEqual(sentences(text, size), wanted)

    def test_other_full_stops(self) -> None:
        """Numbers, titles, initials and shorthands do not end a sentence."""
        for text in (
            "It costs 3.50 euros.",
            "Dr. Smith and Mrs. J. Doe are here.",
            "Take a fruit, e.g. an apple.",
            "1. Press the key.",
        ):
            self.assertEqual(sentences(text), [text])

    def test_early(self) -> None:
        """A sentence is there as soon as what follows has begun."""
        cut = Sentences()
        self.assertEqual(cut.push("Yes. "), ["Yes."])
        self.assertEqual(cut.push("That is 5."), [])
        self.assertEqual(cut.push("5 euros"), [])
        self.assertEqual(cut.finish(), ["That is 5.5 euros"])
        self.assertEqual(cut.finish(), [])

    def test_endless(self) -> None:
        """A sentence without an end is cut at a comma, a space, or anywhere."""
        for unit, most in (("word, word ", 300), ("word ", 300), ("w" * 10, 300)):
            text = (unit * 100).strip()
            found = sentences(text)
            self.assertGreater(len(found), 1)
            self.assertLessEqual(max(map(len, found)), most)
            self.assertEqual("".join(found).replace(" ", ""), text.replace(" ", ""))
        self.assertTrue(sentences("word, word " * 100)[0].endswith(","))

    def test_end_too_late(self) -> None:
        """An end that comes later than that is no end, though it is there already."""
        cut = Sentences()
        found = cut.push("word " * 70 + "end. More.") + cut.finish()
        self.assertLessEqual(max(map(len, found)), 300)
        self.assertEqual(found[-1], "More.")
