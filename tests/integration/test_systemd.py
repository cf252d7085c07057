"""The files in deploy/, as systemd and the service read them."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.config import Config, load, warnings

_DEPLOY = Path(__file__).parents[2] / "deploy"
_ANALYZE = shutil.which("systemd-analyze")


def _service() -> configparser.RawConfigParser:
    """The service unit; of a key that is repeated the last value."""
    parser = configparser.RawConfigParser(strict=False)
    parser.read(_DEPLOY / "twistedvoice.service")
    return parser


def _sample() -> Config:
    options = {"config": str(_DEPLOY / "twistedvoice.toml")}
    return load(options, {"TWISTEDVOICE_AUTH_TOKEN": "x"}, node_id="n-1")


class VerifyTests(SynchronousTestCase):
    """What systemd says of the units."""

    if _ANALYZE is None:
        skip = "systemd-analyze is not installed"
    #: Stands in for an installed service, which systemd looks for.
    installed = ("/opt/twistedvoice/bin/twistd", "/bin/true")

    def verify(self, *changes: tuple[str, str]) -> str:
        """What systemd-analyze says once these patterns of the service are replaced."""
        directory = Path(self.mktemp()).absolute()
        shutil.copytree(_DEPLOY, directory)
        unit = directory / "twistedvoice.service"
        text = unit.read_text()
        for pattern, replacement in changes:
            text, count = re.subn(pattern, replacement, text)
            self.assertNotEqual(count, 0, pattern)
        unit.write_text(text)
        units = [str(unit), str(directory / "twistedvoice.socket")]
        command = [str(_ANALYZE), "verify", "--recursive-errors=no", "--man=no", *units]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr if done.returncode or done.stderr else ""

    def test_units(self) -> None:
        """systemd finds nothing wrong with the units once the service is installed."""
        self.assertEqual(self.verify(self.installed), "")

    def test_socket_variant(self) -> None:
        """Nor with the service that takes its port from the socket unit."""
        by_socket = (r"(?m)^ExecStart=.*\n(# With.*\n)# ", r"\1")
        self.assertEqual(self.verify(by_socket, self.installed), "")

    def test_mistake(self) -> None:
        """A key that systemd does not know would have been seen."""
        mistake = ("WatchdogSec=", "WatchdogSecs=")
        self.assertIn("WatchdogSecs", self.verify(self.installed, mistake))


class SampleTests(SynchronousTestCase):
    """Whether the sample fits together."""

    def test_settings(self) -> None:
        """The sample settings can be loaded, and surprise nobody."""
        limit = int(_service()["Service"]["LimitNOFILE"])
        self.assertEqual(warnings(_sample(), limit), [])

    def test_stop(self) -> None:
        """systemd waits for longer than calls are let drain."""
        stop = float(_service()["Service"]["TimeoutStopSec"])
        self.assertGreater(stop, _sample().drain_seconds)

    def test_port(self) -> None:
        """The socket unit holds the port that the settings name."""
        parser = configparser.RawConfigParser()
        parser.read(_DEPLOY / "twistedvoice.socket")
        port = parser["Socket"]["ListenStream"].rpartition(":")[2]
        self.assertIn(f"tcp:{port}:", _sample().listen)
