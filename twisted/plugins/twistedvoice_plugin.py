"""Tells twistd about ``twistedvoice``; it imports nothing of it."""

from twisted.application.service import ServiceMaker

twistedvoice = ServiceMaker(
    "twistedvoice",
    "twistedvoice.tap",
    "Answer phone calls over WebSocket with voice agents, paced and recorded.",
    "twistedvoice",
)
