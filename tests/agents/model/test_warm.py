"""Sessions that wait for their calls."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.agents.openai.talk import Talk
from twistedvoice.agents.model.warm import Warm
from twistedvoice.formats import MULAW_8K

__all__ = ["WarmTests"]


class WarmTests(SynchronousTestCase):
    """Opened early, claimed or let go."""

    def setUp(self) -> None:
        self.talk = Talk()
        self.clock = self.talk.clock
        self.warm = Warm(self.clock, lambda: self.talk.house.open(MULAW_8K))

    def ended(self) -> list[int | None]:
        """:returns: how each session ended."""
        return [session.ended for session in self.talk.double.sessions]

    def test_claimed(self) -> None:
        """A session is for one call, and for that once."""
        self.warm.expect("one")
        session = self.warm.claim("one")
        assert session is not None
        self.assertIsNone(self.warm.claim("one"))
        self.assertIsNone(self.warm.claim("two"))
        session.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_call(self) -> None:
        """A call that does not come leaves nothing open."""
        self.warm.expect("one")
        self.clock.advance(0)
        self.clock.advance(14.9)
        self.assertEqual(self.ended(), [None])
        self.clock.advance(0.2)
        self.assertEqual((self.ended(), len(self.warm)), ([1000], 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_twice(self) -> None:
        """A webhook that comes twice opens one session."""
        self.warm.expect("one")
        self.warm.expect("one")
        self.assertEqual(len(self.talk.network.requests), 1)
        self.warm.close()

    def test_bounded(self) -> None:
        """However many phones ring, so many wait and no more."""
        for number in range(60):
            self.warm.expect(f"call {number}")
        self.clock.advance(0)
        self.assertEqual((len(self.warm), len(self.ended())), (50, 50))
        self.warm.close()
        self.assertEqual(set(self.ended()), {1000})
        self.assertEqual(self.clock.getDelayedCalls(), [])
