"""Tests of ``twistedvoice.outbox.outbox``."""

from __future__ import annotations

from twistedvoice.errands import Errand
from twistedvoice.errors import ErrandPostponed, ErrandRefused

from .clerk import OutboxTestCase, errand

__all__ = ["AttemptTests", "PostTests", "StopTests"]


class PostTests(OutboxTestCase):
    """What is posted is done, in order, and once."""

    def test_posted_errand_is_begun_at_once(self) -> None:
        """Nobody waits for the next look; success is kept with its result."""
        outbox = self.start()
        self.post(outbox)
        self.assertEqual(self.clerk.asked, [errand()])
        self.clerk.succeed(colour="blue")
        [kept] = self.successResultOf(self.store.errands(state="done"))
        self.assertEqual(kept.result, {"colour": "blue"})
        self.assertEqual(outbox.counts, {"done": 1, "failed": 0, "parked": 0})

    def test_never_again_after_success(self) -> None:
        """Not when time passes, not when it is posted anew, not after a restart."""
        outbox = self.start()
        self.post(outbox)
        self.clerk.succeed()
        self.post(outbox)
        self.wait(3600)
        self.kill(outbox)
        self.post(self.start("n-2"))
        self.wait(3600)
        self.assertEqual(len(self.clerk.asked), 1)

    def test_what_another_posted_is_found(self) -> None:
        """The store is looked at every few seconds."""
        self.start()
        self.store.add_errands([errand()], now=0)
        self.assertEqual(self.clerk.asked, [])
        self.wait(5)
        self.assertEqual(len(self.clerk.asked), 1)

    def test_chain(self) -> None:
        """The second is begun when the first is done, and told what that found."""
        self.post(self.start(), errand(), errand("frame", after="S1/paint"))
        self.assertEqual([each.kind for each in self.clerk.asked], ["paint"])
        self.clerk.succeed(path="b.png")
        self.assertEqual(self.clerk.asked[1].kind, "frame")
        self.assertEqual(self.clerk.asked[1].found, {"path": "b.png"})

    def test_one_kind_hangs(self) -> None:
        """Those of other kinds need not wait for whoever does not answer."""
        outbox = self.start(at_once=2)
        self.post(outbox, *(errand(session=f"S{n}") for n in range(9)))
        self.post(outbox, errand("frame", session="S10"))
        ids = [each.id for each in self.clerk.asked]
        self.assertEqual(ids, ["S0/paint", "S1/paint", "S10/frame"])

    def test_so_many_at_once(self) -> None:
        """The rest waits until one is through, and then need not wait for a look."""
        outbox = self.start(at_once=2)
        self.post(outbox, *(errand(session=f"S{n}") for n in range(4)))
        self.assertEqual(len(self.clerk.asked), 2)
        self.clerk.succeed()
        self.assertEqual(len(self.clerk.asked), 3)

    def test_kind_that_nobody_here_performs(self) -> None:
        """It is left alone and counted: somebody may have changed the configuration."""
        outbox = self.start()
        self.post(outbox, errand("sing"))
        self.wait(90)
        self.assertEqual(self.state("S1/sing"), "waiting")
        self.assertEqual(outbox.tally.waiting, 1)
        self.assertEqual(outbox.oldest_seconds, 90)

    def test_two_processes_share_the_work(self) -> None:
        """What one has taken the other leaves alone, however long it takes."""
        first = self.start("n-1")
        self.start("n-2")
        self.post(first)
        self.wait(600)
        self.assertEqual(len(self.clerk.asked), 1)

    def test_old_successes_are_forgotten(self) -> None:
        """After a week, by which time nobody posts them again."""
        self.post(self.start())
        self.clerk.succeed()
        self.clock.pump([86_400] * 6)
        self.assertEqual(self.state(), "done")
        self.clock.pump([86_400] * 2)
        self.assertEqual(self.state(), "")

    def test_nothing_waits(self) -> None:
        """The oldest of none is not old."""
        self.assertEqual(self.start().oldest_seconds, 0)


class AttemptTests(OutboxTestCase):
    """What fails is tried again, later and later, and then parked."""

    def test_failed_errand_is_tried_again(self) -> None:
        """After ten seconds, then twenty; the attempts are told to the performer."""
        self.post(self.start())
        self.clerk.fail()
        self.wait(9)
        self.assertEqual(len(self.clerk.asked), 1)
        self.wait(5)
        self.assertEqual(len(self.clerk.asked), 2)
        self.clerk.fail()
        self.wait(19)
        self.assertEqual(len(self.clerk.asked), 2)
        self.wait(5)
        self.assertEqual([each.attempts for each in self.clerk.asked], [0, 1, 2])

    def test_refused_errand_is_parked(self) -> None:
        """With its reason, at once, and it holds up no other."""
        outbox = self.start(at_once=1)
        self.post(outbox, errand(), errand(session="S2"))
        self.clerk.fail(ErrandRefused("no such colour"))
        [kept] = self.successResultOf(self.store.errands(state="parked"))
        self.assertEqual(kept.reason, "no such colour")
        self.assertEqual(self.clerk.asked[1].session_id, "S2")
        self.assertEqual(outbox.counts, {"done": 0, "failed": 1, "parked": 1})

    def test_postponed_errand_waits(self) -> None:
        """As long as the other side asked for."""
        self.post(self.start())
        self.clerk.fail(ErrandPostponed("busy", 120))
        self.wait(119)
        self.assertEqual(len(self.clerk.asked), 1)
        self.wait(6)
        self.assertEqual(len(self.clerk.asked), 2)

    def test_poison_is_parked(self) -> None:
        """After so many attempts, and done when somebody asks for a retry."""
        self.post(self.start(attempts=3))
        for _ in range(3):
            self.clerk.fail()
            self.wait(60)
        self.assertEqual(len(self.clerk.asked), 3)
        self.assertEqual(self.state(), "parked")
        self.store.retry_errands(None, now=0)
        self.wait(5)
        self.clerk.succeed()
        self.assertEqual(self.state(), "done")

    def test_bug_of_a_performer_is_one_attempt(self) -> None:
        """It is logged as a bug, and the errand tried again."""
        calls: list[Errand] = []

        def broken(errand: Errand) -> None:
            calls.append(errand)
            raise KeyError("colour")

        outbox = self.start(performers={"paint": broken})
        self.post(outbox)
        self.wait(15)
        self.assertEqual(len(calls), 2)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 2)

    def test_result_that_cannot_be_kept_is_a_bug(self) -> None:
        """It is the performer's, and not tried for ever."""
        self.post(self.start(attempts=1))
        self.clerk.succeed(sound=b"\xff")
        self.assertEqual(self.state(), "parked")
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)

    def test_hanging_performer_is_broken_off(self) -> None:
        """After an hour, as one failed attempt: its place is needed."""
        self.post(self.start(at_once=1))
        self.wait(3599)
        self.assertEqual(self.clerk.cancelled, 0)
        self.wait(20)
        self.assertEqual(self.clerk.cancelled, 1)
        self.assertEqual([each.attempts for each in self.clerk.asked], [0, 1])


class StopTests(OutboxTestCase):
    """An outbox that stops leaves the rest to the next start."""

    def test_nothing_under_way(self) -> None:
        """It has stopped at once, and nothing is left in the clock."""
        outbox = self.start()
        self.successResultOf(outbox.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_is_under_way_may_end(self) -> None:
        """For a while; its success is noted, and nothing new is begun."""
        outbox = self.start(at_once=1)
        self.post(outbox, errand(), errand(session="S2"))
        stopped = outbox.stopService()
        self.wait(9)
        self.assertNoResult(stopped)
        self.clerk.succeed()
        self.successResultOf(stopped)
        self.assertEqual(self.state(), "done")
        self.assertEqual(len(self.clerk.asked), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_takes_longer_is_broken_off(self) -> None:
        """It was never begun, for the next start, which need not wait for a lease."""
        outbox = self.start()
        self.post(outbox)
        stopped = outbox.stopService()
        self.wait(10)
        self.successResultOf(stopped)
        self.assertEqual(self.clerk.cancelled, 1)
        self.start("n-2")
        self.assertEqual([each.attempts for each in self.clerk.asked], [0, 0])

    def test_posted_while_stopping(self) -> None:
        """It is kept for the next start."""
        outbox = self.start()
        outbox.stopService()
        self.post(outbox)
        self.assertEqual(self.clerk.asked, [])
        self.start("n-2")
        self.assertEqual(len(self.clerk.asked), 1)
