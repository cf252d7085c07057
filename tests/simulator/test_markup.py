"""Reading the webhook's answer."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import SimulationError
from twistedvoice.simulator.markup import StreamOrder, read_markup


class StreamTests(SynchronousTestCase):
    """Documents that open a stream."""

    def test_stream_with_parameters(self) -> None:
        """The URL, the parameters and the verbs around it are found."""
        told = read_markup(
            b"<Response><Say>Hi</Say><Connect><Stream url='wss://h/p'>"
            b"<Parameter name='token' value='a&amp;b'/><Parameter name='n' value=''/>"
            b"</Stream></Connect><Redirect>/again</Redirect><Hangup/></Response>"
        )
        self.assertEqual(told.verbs, ["Say"])
        self.assertEqual(
            told.stream,
            StreamOrder(url="wss://h/p", params={"token": "a&b", "n": ""}),
        )
        self.assertEqual(told.after, ["Redirect", "Hangup"])

    def test_documents_no_carrier_can_follow(self) -> None:
        """Each is refused with a sentence that says what is wrong."""
        for document, what in [
            (b"OK", "is not XML"),
            (b"<html/>", "<html>"),
            (b"<Response><Connect/></Response>", "no <Stream>"),
            (b"<Response><Connect><Stream/></Connect></Response>", "no <Stream>"),
        ]:
            error = self.assertRaises(SimulationError, read_markup, document)
            self.assertIn(what, str(error))


class NoStreamTests(SynchronousTestCase):
    """Documents that open none."""

    def test_outcomes(self) -> None:
        """The first verb that decides gives the call its outcome."""
        for verbs, outcome in [
            ("<Reject reason='busy'/>", "busy"),
            ("<Reject/>", "rejected"),
            ("<Say>Sorry</Say><Hangup/><Dial/>", "hung_up"),
            ("<Redirect>/again</Redirect>", "redirected"),
            ("<Play/><Dial>+1</Dial>", "dialled"),
            ("<Say>Sorry</Say>", "hung_up"),
            ("", "hung_up"),
        ]:
            told = read_markup(f"<Response>{verbs}</Response>".encode())
            self.assertIsNone(told.stream)
            self.assertEqual(told.outcome, outcome, verbs)
