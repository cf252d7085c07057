"""What whoever performs errands must do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

__all__ = ["PerformerContract"]

if TYPE_CHECKING:
    Base = SynchronousTestCase
else:
    Base = object


class PerformerContract(Base):
    """The contract of :data:`twistedvoice.errands.Performer`."""

    def begin(self) -> Deferred[Mapping[str, object]]:
        """:returns: an attempt at one errand, always the same; it waits for others."""
        raise NotImplementedError

    def go_on(self) -> None:
        """Have the others do what the newest attempt waits for."""
        raise NotImplementedError

    def result(self) -> Mapping[str, object]:
        """:returns: what an attempt comes back with."""
        performed = self.begin()
        self.assertNoResult(performed)
        self.go_on()
        return self.successResultOf(performed)

    def test_plain(self) -> None:
        """What it comes back with can be kept as JSON."""
        result = self.result()
        self.assertNotEqual(result, {})
        self.assertEqual(json.loads(json.dumps(dict(result))), result)

    def test_twice(self) -> None:
        """It may be done once more, after a crash, and comes to the same."""
        self.assertEqual(self.result(), self.result())

    def test_broken_off(self) -> None:
        """It ends at once when it is cancelled, and may be begun anew."""
        performed = self.begin()
        performed.cancel()
        self.failureResultOf(performed, CancelledError)
        self.result()
