"""Tests for :mod:`twistedvoice.tap`."""

from __future__ import annotations

import io
import resource
import sys
import time
from pathlib import Path
from typing import Any

from twisted.application.service import IServiceMaker
from twisted.internet import reactor as global_reactor
from twisted.plugin import getPlugins
from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from tests.house import HELLO, HouseReactor
from twistedvoice import __version__
from twistedvoice.errors import ConfigError
from twistedvoice.parent import ParentService
from twistedvoice.service import VoiceService
from twistedvoice.tap import Options, build, configure, explained, makeService

_GOOD = (
    "--trust-loopback",
    "--agent=echo",
    "--store=memory:",
    "--cdr=",
    "--recordings=",
)


def options(*words: str) -> Options:
    """:returns: the options of a command line."""
    parsed = Options()
    parsed.parseOptions(words)
    return parsed


class Twistd(UsageOptions):
    """What twistd itself was told, as far as it matters."""

    def __init__(self, **said: object) -> None:
        super().__init__()
        self.update(said)


class OptionsTests(SynchronousTestCase):
    """The words of the command line."""

    def setUp(self) -> None:
        """What is printed is caught."""
        self.out = io.StringIO()
        self.patch(sys, "stdout", self.out)

    def test_version(self) -> None:
        """The version is ours, not Twisted's."""
        error = self.assertRaises(SystemExit, options, "--version")
        self.assertEqual(error.code, 0)
        self.assertEqual(self.out.getvalue(), f"twistedvoice {__version__}\n")

    def test_help(self) -> None:
        """Every option is explained."""
        self.assertRaises(SystemExit, options, "--help")
        for option in ("--config=", "--listen=", "--agent=", "--trust-loopback"):
            self.assertIn(option, self.out.getvalue())

    def test_unknown(self) -> None:
        """Words that mean nothing are refused."""
        for words in (("--agnet=echo",), ("more",)):
            self.assertRaises(UsageError, options, *words)

    def test_plugin(self) -> None:
        """twistd finds these options and this maker."""
        (maker,) = (
            each for each in getPlugins(IServiceMaker) if each.tapname == "twistedvoice"
        )
        self.assertIs(maker.options, Options)
        self.assertIs(maker.makeService, makeService)


class ConfigureTests(SynchronousTestCase):
    """From words to a configuration."""

    def test_folder(self) -> None:
        """Paths of agents start where the file is."""
        folder = Path(self.mktemp())
        folder.mkdir()
        path = folder / "settings.toml"
        path.write_text("[agents.desk]\nuse = 'prompt'\nmenu = 'nowhere.toml'\n")
        words = options(*_GOOD[:1], "--agent=desk", f"--config={path}")
        error = self.assertRaises(ConfigError, configure, words, {}, "n-1")
        self.assertIn(str(folder / "nowhere.toml"), str(error))

    def test_node_id(self) -> None:
        """The process has the name that it was given."""
        config, routes = configure(options(*_GOOD), {}, "n-1")
        self.assertEqual(config.node_id, "n-1")
        self.assertEqual(routes.find("").agent_name, "echo")


class BuildTests(SynchronousTestCase):
    """From words to a service."""

    def setUp(self) -> None:
        """The limits of this process stay as they are; what is told is caught."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        self.errors = io.StringIO()
        self.patch(sys, "stderr", self.errors)

    def test_descriptors(self) -> None:
        """The process may open as many files as the system lets it."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 512), hard))
        build(options(*_GOOD), HouseReactor())
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), (hard, hard))

    def test_warnings(self) -> None:
        """What may surprise is told before the service starts."""
        build(options(*_GOOD, "--max-calls=100000000"), HouseReactor())
        self.assertIn("warning: max_calls: ", self.errors.getvalue())

    def test_monotonic(self) -> None:
        """The global reactor reads a clock that nobody sets."""
        reactor: Any = global_reactor
        self.patch(reactor, "seconds", reactor.seconds)
        makeService(options(*_GOOD))
        self.assertIs(reactor.seconds, time.monotonic)

    def test_log_level(self) -> None:
        """The level holds from the first event on."""
        service = build(options(*_GOOD, "--log-level=error"), HouseReactor())
        service.log_output(HELLO)
        self.assertEqual(self.errors.getvalue(), "")

    def test_log_file(self) -> None:
        """The log goes where twistd was told, in our format."""
        path = Path(self.mktemp())
        words: Any = options(*_GOOD, "--log-format=json")
        words.parent = Twistd(logfile=str(path), nodaemon=True)
        self.log_to(words)
        self.assertIn('"log_format": "hello"', path.read_text())

    def test_log_of_daemon(self) -> None:
        """A daemon has no standard error; it logs where twistd does by default."""
        words: Any = options(*_GOOD)
        words.parent = Twistd(logfile=None, nodaemon=False)
        self.addCleanup(Path("twistd.log").unlink)
        self.log_to(words)
        self.assertIn("hello", Path("twistd.log").read_text())

    def test_log_of_foreground(self) -> None:
        """All others log to standard error."""
        words: Any = options(*_GOOD)
        for said in ({"logfile": None, "nodaemon": True}, {"logfile": "-"}, {}):
            words.parent = Twistd(**said)
            self.log_to(words)
        self.assertEqual(self.errors.getvalue().count("hello"), 3)

    def log_to(self, words: Options) -> None:
        """Log one event."""
        build(words, HouseReactor()).log_output(HELLO)


class ParentTests(SynchronousTestCase):
    """From words to a parent of workers."""

    def setUp(self) -> None:
        """The limits of this process stay as they are."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def words(self, *more: str) -> Options:
        """:returns: the options of a service with two workers."""
        store = f"--store={self.folder / 'store.sqlite'}"
        return options(*_GOOD, store, "--workers=2", *more)

    def test_parent(self) -> None:
        """Above one worker the process is their parent, and carries no call."""
        self.assertIsInstance(build(self.words(), HouseReactor()), ParentService)
        self.assertIsInstance(
            build(self.words("--workers=1"), HouseReactor()), VoiceService
        )

    def test_writable(self) -> None:
        """What the workers cannot write is told before any is started."""
        words = self.words(f"--cdr={self.folder}")
        error = self.assertRaises(ConfigError, build, words, HouseReactor())
        self.assertIn("cdr: ", str(error))


class RefusedTests(SynchronousTestCase):
    """A configuration that cannot be used."""

    def test_build(self) -> None:
        """Whoever builds a service gets the error."""
        error = self.assertRaises(ConfigError, build, options(), HouseReactor())
        self.assertGreater(len(error.problems), 1)

    def test_twistd(self) -> None:
        """twistd ends with all problems, each on a line, and no traceback."""
        error = self.assertRaises(SystemExit, makeService, options("--max-calls=x"))
        text = str(error.code)
        self.assertTrue(text.startswith("twistedvoice: The configuration cannot be"))
        self.assertIn("\n  max_calls: 'x'", text)
        self.assertIn("\n  public_url: ", text)

    def test_explained(self) -> None:
        """One sentence, then each problem on a line of its own."""
        self.assertEqual(
            explained(ConfigError(["a: b", "c: d"])),
            "The configuration cannot be used.\n  a: b\n  c: d",
        )
