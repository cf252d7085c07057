"""A service that cannot start says why, in few words, and ends."""

from __future__ import annotations

import socket

from tests.integration.process import SERVE, TWISTD, ServiceTestCase


class PortTests(ServiceTestCase):
    """A port that another program has."""

    async def assert_refused(self, *command: str) -> None:
        """It ends with 1, and one line tells why."""
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        endpoint = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
        code, output = await self.run_command(
            *command,
            "--trust-loopback",
            f"--listen={endpoint}",
            "--store=memory:",
            "--cdr=",
            "--recordings=",
        )
        self.assertEqual(code, 1, output)
        line = output.splitlines()[-1]
        self.assertIn(f"cannot listen on {endpoint}: Address already in use", line)
        self.assertNotIn("Traceback", output)

    async def test_serve(self) -> None:
        """``serve`` has no port."""
        await self.assert_refused(*SERVE)

    async def test_twistd(self) -> None:
        """``twistd`` has no port."""
        await self.assert_refused(*TWISTD)


class ConfigurationTests(ServiceTestCase):
    """A configuration with several mistakes."""

    async def assert_refused(self, exit_code: int, *command: str) -> None:
        """It ends, and all mistakes are told."""
        code, output = await self.run_command(
            *command,
            "--max-calls=many",
            "--lead-ms=5",
            environ={"TWISTEDVOICE_LISTN": "tcp:1"},
        )
        self.assertEqual(code, exit_code, output)
        for key in ("max_calls:", "lead_ms:", "public_url:", "TWISTEDVOICE_LISTN:"):
            self.assertIn(f"\n  {key}", output)
        self.assertNotIn("Traceback", output)

    async def test_serve(self) -> None:
        """``serve`` says 2, as for any wrong command line."""
        await self.assert_refused(2, *SERVE)

    async def test_twistd(self) -> None:
        """``twistd`` says 1, as it always does."""
        await self.assert_refused(1, *TWISTD)
