"""Tests for :mod:`twistedvoice.simulator.extras`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import SimulationError
from twistedvoice.simulator.extras import require_extras


class RequireExtrasTests(SynchronousTestCase):
    """The sentence a person reads who has not installed them."""

    def test_all_there(self) -> None:
        """Nothing is said when all are there."""
        require_extras({"matplotlib": 1, "rich": 1}.get)

    def test_missing(self) -> None:
        """What is missing is named, with the command that installs it."""
        error = self.assertRaises(SimulationError, require_extras, {"rich": 1}.get)
        self.assertIn("needs matplotlib:", str(error))
        self.assertIn("pip install 'twistedvoice[demo]'", str(error))
        error = self.assertRaises(SimulationError, require_extras, {}.get)
        self.assertIn("matplotlib and rich", str(error))
