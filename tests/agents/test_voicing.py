# -*- test-case-name: tests.agents.test_voicing -*-
"""Tests of sentences that are synthesised once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.voicing import Voicing
from twistedvoice.errors import EngineError
from twistedvoice.formats import ALAW_8K, MULAW_8K
from twistedvoice.speech.engines import Engines

from .dialogues import FakeEngines


class VoicingTests(SynchronousTestCase):
    """Sentences, and a folder that keeps them."""

    def prepared(self, cache: Path | None) -> tuple[Voicing, FakeEngines]:
        """:returns: two sentences made ready, and the engines that spoke."""
        engines = FakeEngines()
        voicing = Voicing(cast(Engines, engines))
        preparing = voicing.prepare(["One.", "Two."], cache, maybeDeferred)
        self.successResultOf(Deferred.fromCoroutine(preparing))
        return voicing, engines

    def test_ready(self) -> None:
        """What was made ready is sound; all else is to be synthesised."""
        voicing, _ = self.prepared(None)
        self.assertEqual(voicing.ready("One.", MULAW_8K), b"O" * 8000)
        self.assertIsNone(voicing.ready("Three.", MULAW_8K))

    def test_other_format(self) -> None:
        """It is converted for calls that speak another format."""
        voicing, _ = self.prepared(None)
        self.assertEqual(len(voicing.ready("One.", ALAW_8K) or b""), 8000)

    def test_kept(self) -> None:
        """A second start finds the sound on disk, and needs no engine."""
        cache = Path(self.mktemp())
        self.prepared(cache)
        voicing, engines = self.prepared(cache)
        self.assertEqual(engines.spoken, [])
        self.assertEqual(voicing.ready("Two.", MULAW_8K), b"T" * 8000)
        self.assertEqual([path.suffix for path in cache.iterdir()], [".ulaw"] * 2)

    def test_no_voice(self) -> None:
        """Without an engine nothing can be made ready."""
        engines = FakeEngines(is_dead=True)
        voicing = Voicing(cast(Engines, engines))
        preparing: Deferred[Any] = Deferred.fromCoroutine(
            voicing.prepare(["One."], None, maybeDeferred)
        )
        self.failureResultOf(preparing, EngineError)
