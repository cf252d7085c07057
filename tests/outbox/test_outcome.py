"""Tests of ``twistedvoice.outbox.outcome``."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errands import Errand
from twistedvoice.errors import ErrandPostponed, ErrandRefused
from twistedvoice.outbox.outcome import MOST_ATTEMPTS, Failed, failed, pause_seconds

__all__ = ["OutcomeTests"]


def judge(error: Exception, attempts: int = 0, chance: float = 0.0) -> Failed:
    errand = Errand(id="S1/x", kind="x", session_id="S1", attempts=attempts)
    return failed(errand, error, MOST_ATTEMPTS, chance)


class OutcomeTests(SynchronousTestCase):
    """What follows from an error."""

    def test_pauses_double_up_to_an_hour(self) -> None:
        """However often it was begun."""
        pauses = [pause_seconds(begun, 0) for begun in (1, 2, 3, 9, 10, 5000)]
        self.assertEqual(pauses, [10, 20, 40, 2560, 3600, 3600])

    def test_jitter_takes_off_a_fifth(self) -> None:
        """At the most, so that those who failed together come back apart."""
        self.assertEqual(pause_seconds(1, 1.0), 8)

    def test_all_attempts_take_about_two_days(self) -> None:
        """As docs/outbox says, with the mean of the jitter."""
        total = sum(pause_seconds(begun, 0.5) for begun in range(1, MOST_ATTEMPTS))
        self.assertAlmostEqual(total / 86_400, 1.9, places=1)

    def test_last_attempt(self) -> None:
        """The one that may be begun last parks the errand when it fails."""
        self.assertIsNotNone(judge(OSError("x"), MOST_ATTEMPTS - 2).pause)
        self.assertIsNone(judge(OSError("x"), MOST_ATTEMPTS - 1).pause)

    def test_refusal(self) -> None:
        """It is final."""
        self.assertEqual(judge(ErrandRefused("no")), Failed("no", None))

    def test_postponed(self) -> None:
        """The longer of both pauses counts; a day is the longest that is honoured."""
        pauses = [judge(ErrandPostponed("busy", s)).pause for s in (-5, 0, 60, 1e9)]
        self.assertEqual(pauses, [10, 10, 60, 86_400])

    def test_reason(self) -> None:
        """There is always one, and it is short."""
        self.assertEqual(judge(ErrandPostponed("busy", 1)).reason, "busy")
        self.assertEqual(judge(KeyError("a")).reason, "KeyError: 'a'")
        self.assertEqual(judge(OSError()).reason, "OSError")
        self.assertEqual(len(judge(OSError("x" * 5000)).reason), 300)
