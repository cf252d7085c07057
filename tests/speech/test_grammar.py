# -*- test-case-name: tests.speech.test_grammar -*-
"""Tests of what may be said, and of reading it back."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.speech.grammar import Grammar, Rule, digits_phrase, phrase_problem

_GRAMMAR = Grammar(
    "main",
    [
        Rule(
            name="hours", phrases=["[your] Opening Hours [please]", "when are you open"]
        ),
        Rule(name="book", phrases=["(make | book) (an appointment | a visit)"]),
        Rule(name="code", phrases=[digits_phrase(2, 3)], is_open=True),
    ],
)


def read(words: str) -> str | None:
    """:returns: the name of the rule by which ``words`` are whole."""
    rule = _GRAMMAR.read(words)
    return None if rule is None else rule.name


class GrammarTests(SynchronousTestCase):
    """One grammar with three rules."""

    def test_jsgf(self) -> None:
        """The recogniser gets every phrase, in small letters."""
        self.assertEqual(
            _GRAMMAR.jsgf().splitlines()[:5],
            [
                "#JSGF V1.0;",
                "grammar main;",
                "public <all> = <r0> | <r1> | <r2>;",
                "<r0> = ([your] opening hours [please]) | (when are you open);",
                "<r1> = ((make | book) (an appointment | a visit));",
            ],
        )

    def test_whole(self) -> None:
        """A whole sentence is known by its rule, with and without what may be left."""
        self.assertEqual(read("opening hours"), "hours")
        self.assertEqual(read("your opening hours please"), "hours")
        self.assertEqual(read("book a visit"), "book")

    def test_not_whole(self) -> None:
        """The beginning of a sentence is none, nor is one with a word too many."""
        for words in (
            "",
            "opening",
            "when are you",
            "book a",
            "hours opening",
            "book a visit a",
        ):
            self.assertIsNone(read(words), words)

    def test_digits(self) -> None:
        """As many digits as are wanted are whole."""
        found = [read(" ".join(["oh"] * count)) for count in range(1, 5)]
        self.assertEqual(found, [None, "code", "code", None])

    def test_words(self) -> None:
        """Every word that the recogniser must know is named."""
        self.assertLess({"opening", "appointment", "zero", "when"}, _GRAMMAR.words())
        self.assertNotIn("|", _GRAMMAR.words())


class PhraseTests(SynchronousTestCase):
    """What a phrase may be."""

    def test_good(self) -> None:
        """Words, brackets and bars in any depth can be used."""
        for phrase in ("yes", "[oh] (yes [please] | that's (all right | fine))"):
            self.assertIsNone(phrase_problem(phrase))

    def test_bad(self) -> None:
        """What is wrong is named."""
        for phrase, problem in {
            "(yes": "lacks a ')'",
            "yes]": "has a ']' too many",
            "[yes)": "has a ')' too many",
            "at 9": "has a '9'; write numbers as words, and no punctuation",
            "yes!": "has a '!'; write numbers as words, and no punctuation",
            "[please]": "can be said without a word",
            "": "can be said without a word",
        }.items():
            self.assertEqual(phrase_problem(phrase), problem)
