"""What others wrote to play Twilio, or to check what it sends, against our service."""

from __future__ import annotations

import json
import sys
from typing import Any
from xml.etree.ElementTree import canonicalize, fromstring

from twilio.request_validator import (
    RequestValidator,
)
from twilio.twiml.voice_response import (
    Connect,
    Stream,
    VoiceResponse,
)
from twisted.web.client import Agent, readBody
from twisted.web.http_headers import Headers

from tests.integration.process import (
    PUBLIC_URL,
    SPEECH,
    TOKEN,
    Service,
    ServiceTestCase,
    reactor,
)
from twistedvoice.simulator.webhook import _Body

VOICE_URL = f"{PUBLIC_URL}/twilio/voice"
FORM = {
    "AccountSid": "AC" + "1" * 32,
    "CallSid": "CA" + "2" * 32,
    "CallStatus": "ringing",
    "From": "+15550100001",
    "To": "+15550100002",
    "CallerName": "Zoë & Söhne + 50%",
}


class StreamdoubleTests(ServiceTestCase):
    """streamdouble cannot sign, so the service trusts this machine."""

    async def test_echo(self) -> None:
        """It hears its own voice, and finds nothing against the protocol."""
        async with self.service(trusted=True) as service:
            code, output = await self.run_command(
                *(sys.executable, "-P", "-m", "streamdouble.cli", "call"),
                f"ws://127.0.0.1:{service.port}/twilio/media",
                *("--audio", str(SPEECH), "--json"),
            )
            self.assertEqual(code, 0, output)
            (cdr,) = service.cdrs().values()
        figures = json.loads(output)
        self.assertEqual(figures["violations"], [])
        self.assertFalse(figures["timed_out"])
        self.assertGreater(cdr["frames_sent"], 50)
        self.assertEqual(cdr["messages_bad"], 0)


class TwilioSdkTests(ServiceTestCase):
    """Twilio's own library makes the signatures and the markup to compare with."""

    async def post(self, service: Service, signature: str) -> tuple[int, str]:
        """:returns: status and body of the voice webhook."""
        agent: Any = Agent(reactor)
        headers = Headers(
            {
                "Content-Type": ["application/x-www-form-urlencoded"],
                "X-Twilio-Signature": [signature],
            }
        )
        response = await agent.request(
            b"POST",
            f"http://127.0.0.1:{service.port}/twilio/voice".encode(),
            headers,
            _Body(list(FORM.items())),
        )
        return response.code, (await readBody(response)).decode()

    async def test_signature(self) -> None:
        """What it signs is let in, and answered with the markup it would write."""
        good = RequestValidator(TOKEN).compute_signature(VOICE_URL, FORM)
        bad = RequestValidator("f" * 32).compute_signature(VOICE_URL, FORM)
        async with self.service() as service:
            self.assertEqual(await self.post(service, bad), (403, ""))
            status, markup = await self.post(service, good)
        self.assertEqual(status, 200)
        (parameter,) = fromstring(markup).iter("Parameter")
        self.assertEqual(canonicalize(markup), self.written(parameter.get("value", "")))

    def written(self, token: str) -> str:
        """:returns: the markup of a stream, as Twilio's library writes it."""
        response, connect = VoiceResponse(), Connect()
        stream = Stream(url="wss://voice.example.com/twilio/media")
        stream.parameter(name="token", value=token)
        connect.append(stream)
        response.append(connect)
        response.hangup()
        return canonicalize(str(response))
