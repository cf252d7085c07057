"""When the model may be asked to speak."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.model.turn import Turn

__all__ = ["TurnTests"]


class TurnTests(SynchronousTestCase):
    """Turns, event by event."""

    def setUp(self) -> None:
        self.asked: list[str] = []
        self.turn = Turn(
            lambda: self.asked.append("ask"), lambda: self.asked.append("cancel")
        )

    def test_at_once(self) -> None:
        """What is due is asked for at once when nobody speaks, and once."""
        self.turn.owe()
        self.assertEqual(self.asked, ["ask"])
        self.turn.owe()
        self.turn.response_began("r")
        self.turn.response_ended()
        self.assertEqual(self.asked, ["ask"])
        self.assertTrue(self.turn.is_quiet)

    def test_waits_for_a_response(self) -> None:
        """While a response is made, what is due waits for its end."""
        self.turn.response_began("r")
        self.turn.owe()
        self.assertEqual(self.asked, [])
        self.turn.response_ended()
        self.assertEqual(self.asked, ["ask"])

    def test_waits_for_the_caller(self) -> None:
        """While the caller speaks nothing is asked for: the API answers then."""
        self.turn.caller_started()
        self.turn.owe()
        self.turn.caller_stopped()
        self.turn.response_began("r")
        self.turn.response_ended()
        self.assertEqual(self.asked, [])

    def test_waits_for_all_functions(self) -> None:
        """The results of all functions make one answer; none where none is wanted."""
        for wanted in (True, False):
            self.asked.clear()
            self.turn.response_began("r")
            self.turn.function_began()
            self.turn.function_began()
            self.turn.function_ended(answer=wanted)
            self.turn.response_ended()
            self.assertEqual(self.asked, [])
            self.turn.function_ended(answer=False)
            self.assertEqual(self.asked, ["ask"] * wanted)
            self.turn.response_ended()

    def test_too_early(self) -> None:
        """An API that was busy all the same is asked again when it is not."""
        self.turn.owe()
        self.turn.asked_too_early()
        self.turn.response_ended()
        self.assertEqual(self.asked, ["ask", "ask"])

    def test_late_sound(self) -> None:
        """Only the response of now is listened to."""
        self.turn.response_began("one")
        self.assertEqual(self.turn.live, "one")
        self.turn.caller_started()
        self.assertEqual(self.turn.live, "")
        self.turn.caller_stopped()
        self.turn.response_began("two")
        self.assertEqual(self.turn.live, "two")

    def test_silenced(self) -> None:
        """Somebody else's interrupt cancels what is made, not what is done."""
        self.turn.response_began("one")
        self.turn.silenced()
        self.turn.silenced()
        self.assertEqual(self.asked, ["cancel"])
        self.turn.response_ended()
        self.turn.response_began("two")
        self.turn.response_ended()
        self.turn.silenced()
        self.assertEqual(self.asked, ["cancel"])

    def test_new_session(self) -> None:
        """What was open is due in a new session; after silence nothing is."""
        self.turn.begin_anew(asked=False)
        self.assertEqual(self.asked, [])
        self.turn.caller_started()
        self.turn.begin_anew(asked=False)
        self.assertEqual(self.asked, ["ask"])
        self.turn.begin_anew(asked=True)
        self.assertEqual(self.asked, ["ask"])
        self.assertTrue(self.turn.busy)
