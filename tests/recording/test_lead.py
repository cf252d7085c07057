"""Tests for :mod:`twistedvoice.recording.lead`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.recording.lead import Lead


def watch(lead: Lead, seconds: int, *, ppm: int = 0) -> int:
    """
    Let a stream go on, looked at about twice a second.

    :returns: how wrong the lead is at the end.
    """
    for half in range(1, 2 * seconds + 1):
        now_us = half * 507_000
        true_us = now_us + now_us * ppm // 1_000_000
        heard_us = true_us // 20_000 * 20_000
        lead.observe(now_us, heard_us, True)
    return lead.us - (true_us - now_us)


class LeadTests(SynchronousTestCase):
    """How much the carrier's clock is ahead."""

    def test_alike(self) -> None:
        """Clocks that run alike are not told apart."""
        self.assertLess(abs(watch(Lead(), 3600)), 6_000)

    def test_faster(self) -> None:
        """A carrier's clock that runs faster is followed within a frame."""
        self.assertLess(abs(watch(Lead(), 3600, ppm=100)), 8_000)

    def test_slower(self) -> None:
        """One that runs slower is followed too."""
        self.assertLess(abs(watch(Lead(), 3600, ppm=-100)), 12_000)

    def test_late_start(self) -> None:
        """A ``start`` that was read late makes the carrier ahead from the first on."""
        lead = Lead()
        lead.observe(10_000, 2_000_000, True)
        self.assertEqual(lead.us, 1_990_000)

    def test_pause(self) -> None:
        """A stream that sends nothing for a while is no slow clock."""
        lead = Lead()
        watch(lead, 60)
        before_us = lead.us
        for half in range(120, 1200):
            lead.observe(half * 500_000, 60_000_000, False)
        lead.observe(600_000_000, 60_000_000, True)
        self.assertEqual(lead.us, before_us)
