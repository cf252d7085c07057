"""Tests for :mod:`twistedvoice.simulator.summary`."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from tests.simulator.calls import finished_call
from twistedvoice.simulator.align import Match
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.report import report
from twistedvoice.simulator.summary import progress, summary
from twistedvoice.simulator.verdict import Verdict


def printed(
    journal: Journal,
    *,
    problems: Sequence[str] = (),
    matches: dict[str, Match] | None = None,
    files: Sequence[Path] = (),
) -> str:
    """:returns: the summary of a call, as text."""
    console = Console(file=StringIO(), width=100)
    console.print(
        summary(
            journal=journal,
            figures=report(journal),
            verdict=Verdict(problems=problems, underruns=len(journal.underruns)),
            matches=matches or {},
            files=files,
        )
    )
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


class SummaryTests(SynchronousTestCase):
    """What is printed after a call."""

    def test_good_call(self) -> None:
        """The figures stand there in words."""
        text = printed(finished_call())
        for words in (
            "All right",
            "completed, 22.0 s",
            "40 ms after the stream started",
            "2, heard 960 ms after the caller was done",
            "200 ms after a key or a word",
            "1100 sent, 502 heard",
            "20 ms median",
            "none",
            "speech 3 times",
        ):
            self.assertIn(words, text)

    def test_late(self) -> None:
        """Holes in what was heard are the machine's, and are counted."""
        journal = finished_call()
        journal.underruns += [(100.0, 12.0), (900.0, 61.0)]
        text = printed(journal)
        self.assertIn("Right, but this machine was late", text)
        self.assertIn("2, the longest 61 ms", text)

    def test_problems(self) -> None:
        """Each problem is printed, and the headline does not hide it."""
        text = printed(finished_call(), problems=["the sky fell", "it rained"])
        self.assertIn("Something is wrong", text)
        self.assertNotIn("All right", text)
        self.assertIn("the sky fell", text)
        self.assertIn("it rained", text)

    def test_tracks(self) -> None:
        """How each recorded track matches is told, good or bad."""
        matches = {"caller": Match(1.0, 0.0, 1.0), "service": Match(0.5, -60.0, 0.1)}
        lines = printed(finished_call(), matches=matches).splitlines()
        (caller,) = (line for line in lines if "caller's track" in line)
        (service,) = (line for line in lines if "service's track" in line)
        self.assertIn("✔ matches at 1.000, at the same time", caller)
        self.assertIn("✘ matches at 0.500, 60 ms before the line", service)

    def test_files(self) -> None:
        """Every file is named with its path and what is in it."""
        text = printed(finished_call(), files=[Path("out/heard.wav")])
        self.assertIn("out/heard.wav", text)
        self.assertIn("what the caller heard", text)

    def test_long_path(self) -> None:
        """A path that does not fit on a line is there to its end."""
        path = Path("/" + "x" * 150 + "y", "heard.wav")
        text = printed(finished_call(), files=[path])
        self.assertIn("heard.wav", text)
        self.assertEqual(text.count("x"), 150)

    def test_nothing_happened(self) -> None:
        """A call that never began has a summary too."""
        text = printed(Journal(outcome="too_long"))
        self.assertIn("too long, 0.0 s", text)
        self.assertIn("nothing to measure", text)


class ProgressTests(SynchronousTestCase):
    """The bar."""

    def drawn(self, *, terminal: bool, seconds: float | None = 22.0) -> str:
        """:returns: what is drawn while a call goes on."""
        console = Console(
            file=StringIO(), width=100, force_terminal=terminal, _environ={}
        )
        with progress(console, seconds) as tell:
            tell(Journal())
            tell(finished_call())
        assert isinstance(console.file, StringIO)
        return console.file.getvalue()

    def test_on_a_terminal(self) -> None:
        """A person sees what the call is at."""
        text = self.drawn(terminal=True)
        self.assertIn("ringing", text)
        self.assertIn("hung up", text)
        self.assertIn("22 s", text)

    def test_length_unknown(self) -> None:
        """A call of unknown length has a bar as well."""
        self.assertIn("22 s", self.drawn(terminal=True, seconds=None))

    def test_elsewhere(self) -> None:
        """Nothing at all is printed where no person looks."""
        self.assertEqual(self.drawn(terminal=False), "")
