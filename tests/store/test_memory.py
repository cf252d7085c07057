"""Tests of ``twistedvoice.store.memory``."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase, TestCase

from twistedvoice.interfaces import Store
from twistedvoice.store import memory
from twistedvoice.store.memory import MemoryStore

from .contract import NOW, StoreContract, lease
from .errands_contract import ErrandsContract

__all__ = ["MemoryStoreTests", "SameTurnTests"]


class MemoryStoreTests(StoreContract, ErrandsContract, TestCase):
    """The store in memory keeps the contract."""

    kept = memory

    def make_store(self) -> Store:
        return MemoryStore()


class SameTurnTests(SynchronousTestCase):
    """The store in memory needs no reactor."""

    def test_answers_at_once(self) -> None:
        """An answer is there when the method returns, as virtual time needs it."""
        taken = MemoryStore().take(lease(), limit=1, now=NOW)
        self.assertTrue(self.successResultOf(taken))
