"""Looks orders up for a model. The example of docs/write-an-agent."""

from __future__ import annotations

from twistedvoice.agents.openai.agent import OpenAi
from twistedvoice.agents.tools import tool

ORDERS = {"17": "sent yesterday", "18": "waiting for its parts"}


class Clerk(OpenAi):
    """Knows what became of orders."""

    @tool("Say what became of an order.", {"number": {"type": "string"}})
    async def order(self, number: str) -> object:
        """Look it up."""
        if number not in ORDERS:
            return {"error": "there is no such order"}
        return {"state": ORDERS[number]}
