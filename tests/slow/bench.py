"""The load test as it is run, with real processes and few calls; no time is judged."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.integration.process import ServiceTestCase

_BENCH = (sys.executable, "-P", "-m", "twistedvoice", "bench")
#: It was measured: held or not, counted or not.
_MEASURED = {0, 1, 3}


class BenchTests(ServiceTestCase):
    """``twistedvoice bench``."""

    timeout = 120

    async def bench(self, *words: str) -> tuple[int, str]:
        """:returns: exit code and output."""
        return await self.run_command(*_BENCH, *words)

    async def points(self, *words: str) -> list[dict[str, Any]]:
        """:returns: the figures of a load of few calls, all of which came about."""
        file = Path(self.mktemp()).absolute()
        code, output = await self.bench(*words, "--seconds=1", f"--json={file}")
        self.assertIn(code, _MEASURED, output)
        found: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))["points"]
        for point in found:
            figures = point["figures"]
            self.assertEqual(figures["counts"]["opened"], point["calls"], output)
            self.assertEqual(figures["errors"], {}, output)
            self.assertGreater(figures["audio"], 0.5, output)
        return found

    async def test_load(self) -> None:
        """The service and the baseline echo five calls, and are measured."""
        found = await self.points("load", "--calls=5", "--baseline")
        self.assertEqual([p["contender"] for p in found], ["service", "baseline"])
        for point in found:
            figures = point["figures"]
            self.assertGreater(figures["echo_ms"]["p50"], 0)
            self.assertGreater(figures["server"]["cpu_us_per_call_second"], 0)

    async def test_models(self) -> None:
        """Whose model is elsewhere talks with its double, which the load test runs."""
        for agent in ("openai", "gemini", "cascade"):
            (point,) = await self.points("load", "--calls=2", f"--agent={agent}")
            self.assertEqual(point["figures"]["counts"]["underruns"], 0)

    async def test_url(self) -> None:
        """A service that runs already is called; what it uses is not known."""
        async with self.service(trusted=True) as service:
            url = f"ws://127.0.0.1:{service.port}/twilio/media"
            (point,) = await self.points("load", "--calls=2", f"--url={url}")
        self.assertIsNone(point["figures"]["server"])

    async def test_stall(self) -> None:
        """A service that plays a prompt, and stalls, still takes calls."""
        (point,) = await self.points("stall", "--calls=2", "--every-ms=300")
        self.assertEqual(point["figures"]["echo_ms"]["p50"], 0)

    async def test_leak(self) -> None:
        """Calls are made and ended, and what the service holds is counted."""
        code, output = await self.bench(
            "leak", "--calls=20", "--at-once=10", "--call-ms=100"
        )
        self.assertIn(code, {0, 1}, output)
        self.assertRegex(output, r"descriptors +\d+ +(\d+) +\1 +0\n")
        self.assertNotIn("came about", output)
