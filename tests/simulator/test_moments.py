"""Tests for :mod:`twistedvoice.simulator.moments`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.drawing.moment import Moment
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.moments import of_caller, of_service


def journal_of(*happenings: tuple[float, str, str]) -> Journal:
    """:returns: a call in which this happened."""
    journal = Journal()
    for at_ms, kind, detail in happenings:
        journal.note(at_ms, kind, detail)
    return journal


class CallerTests(SynchronousTestCase):
    """What stands with the caller."""

    def test_what_a_caller_does(self) -> None:
        """Speech, keys, interrupts and the end are labelled; the rest is not here."""
        journal = journal_of(
            (0, "started", ""),
            (20, "saying", "/speech/caller_hello.wav"),
            (30, "digit", "#"),
            (40, "interrupting", ""),
            (40, "saying", ""),
            (50, "gave_up", "silence"),
            (60, "stopped", ""),
            (61, "closed", ""),
        )
        self.assertEqual(
            of_caller(journal),
            [
                Moment(20, "says “hello”"),
                Moment(30, "key #"),
                Moment(40, "interrupts", "sharp"),
                Moment(40, "speaks"),
                Moment(50, "waited for silence", "wrong"),
                Moment(60, "hangs up"),
            ],
        )

    def test_long_name(self) -> None:
        """A long name is cut, and shows that it is."""
        (moment,) = of_caller(journal_of((0, "saying", "x" * 100)))
        self.assertLess(len(moment.text), 40)
        self.assertIn("…", moment.text)


class ServiceTests(SynchronousTestCase):
    """What stands with the service."""

    def test_mark_heard(self) -> None:
        """A mark that comes back without a clear was heard."""
        journal = journal_of((10, "mark_received", "m1"), (170, "mark_echoed", "m1"))
        self.assertEqual(of_service(journal), [Moment(170, "m1 heard", "quiet")])

    def test_mark_dropped(self) -> None:
        """A mark that a clear sends back was not heard; the next of that name may."""
        journal = journal_of(
            (10, "mark_received", "m1"),
            (20, "clear", "80 ms"),
            (20, "mark_echoed", "m1"),
            (30, "mark_received", "m1"),
            (40, "mark_echoed", "m1"),
        )
        self.assertEqual(
            of_service(journal),
            [
                Moment(20, "clears 80 ms", "sharp"),
                Moment(20, "m1 dropped", "quiet"),
                Moment(40, "m1 heard", "quiet"),
            ],
        )

    def test_underruns_in_order(self) -> None:
        """A hole in what was heard stands at its time."""
        journal = journal_of((10, "speech_started", ""), (90, "problem", "not JSON"))
        journal.underruns.append((50.0, 12.4))
        self.assertEqual(
            of_service(journal),
            [
                Moment(10, "speaks"),
                Moment(50, "underrun 12 ms", "wrong"),
                Moment(90, "not JSON", "wrong"),
            ],
        )

    def test_who_ended_the_call(self) -> None:
        """The service ended the call only if the caller did not hang up."""
        by_service = journal_of((90, "closed", ""))
        by_caller = journal_of((80, "stopped", ""), (90, "closed", ""))
        self.assertEqual(of_service(by_service), [Moment(90, "ends the call")])
        self.assertEqual(of_service(by_caller), [])
