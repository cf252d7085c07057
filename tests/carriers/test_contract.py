"""The contract of the seam to the carriers, on every dialect."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.carriers.twilio.dialect import TwilioDialect
from twistedvoice.interfaces import Dialect

from .contract import Carrier, DialectContract
from .second import BinaryCarrier, BinaryDialect
from .twilio_carrier import TwilioCarrier


class TwilioContractTests(DialectContract, SynchronousTestCase):
    """Twilio Media Streams."""

    def make_dialect(self) -> Dialect:
        return TwilioDialect()

    def make_carrier(self) -> Carrier:
        return TwilioCarrier()


class BinaryContractTests(DialectContract, SynchronousTestCase):
    """The second dialect of the tests."""

    def make_dialect(self) -> Dialect:
        return BinaryDialect()

    def make_carrier(self) -> Carrier:
        return BinaryCarrier()
