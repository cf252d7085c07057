"""Tests for :mod:`twistedvoice.child`."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import twistedvoice
from twistedvoice.child import (
    import_path,
    plain_environ,
    worker_environ,
    worker_words,
)
from twistedvoice.tap import Options

__all__ = ["EnvironTests", "PathTests", "WordsTests"]

PACKAGE = str(Path(twistedvoice.__file__).parents[1])


class WordsTests(SynchronousTestCase):
    """The command line of a worker."""

    def test_words(self) -> None:
        """A worker is told what its parent was, but for its name and number."""
        parent = Options()
        given = ["-c", "a.toml", "--trust-loopback", "--workers=3", "--node-id=n"]
        parent.parseOptions([*given, "--cdr=", "--max-calls=0"])
        worker = Options()
        worker.parseOptions(worker_words(parent, "n-w2"))
        self.assertEqual(
            {name: worker[name] for name in worker if worker[name] != parent[name]},
            {"workers": "1", "node-id": "n-w2"},
        )
        self.assertEqual(worker["cdr"], "")


class EnvironTests(SynchronousTestCase):
    """The environments of processes."""

    def test_systemd(self) -> None:
        """What systemd said to the parent is for the parent alone."""
        ours = {
            "NOTIFY_SOCKET": "@n",
            "WATCHDOG_PID": "1",
            "WATCHDOG_USEC": "1",
            "LISTEN_FDS": "1",
            "LISTEN_PID": "1",
            "LISTEN_FDNAMES": "public",
            "CREDENTIALS_DIRECTORY": "/run/c",
            "STATE_DIRECTORY": "/var/lib/t",
            "TWISTEDVOICE_AUTH_TOKEN": "t",
            "SOME_KEY": "k",
        }
        environ = worker_environ(ours, [])
        self.assertEqual(environ.pop("WATCHDOG_USEC"), "15000000")
        self.assertEqual(environ, dict(list(ours.items())[6:]))

    def test_plain(self) -> None:
        """What only computes finds its libraries, and gets no setting and no secret."""
        found = {"PATH": "/bin", "LD_LIBRARY_PATH": "/opt/lib", "PYTHONPATH": "/b"}
        others = {"TWISTEDVOICE_STORE": "s", "AWS_SECRET": "k", "NOTIFY_SOCKET": "@n"}
        environ = plain_environ(found | others, ["/a"])
        self.assertEqual(environ, {**found, "PYTHONPATH": "/a:/b"})

    def test_path(self) -> None:
        """Folders for modules come before those that the parent was given."""
        environ = worker_environ({"PYTHONPATH": "/b"}, ["/a"])
        self.assertEqual(environ["PYTHONPATH"], "/a:/b")


class PathTests(SynchronousTestCase):
    """Where a worker's modules are."""

    def test_checkout(self) -> None:
        """A package that is not installed is found where the parent found it."""
        self.assertEqual(import_path(["/usr/lib/python3"], "/srv"), [PACKAGE])

    def test_installed(self) -> None:
        """A package that is installed is found by itself."""
        self.patch(sysconfig, "get_path", lambda name: PACKAGE)
        self.assertEqual(import_path(["/usr/lib/python3"], "/srv"), [])

    def test_working_directory(self) -> None:
        """Agents that lie beside the parent are found, if the parent finds them."""
        for beside in ("", "/srv"):
            self.assertEqual(import_path([beside], "/srv"), ["/srv", PACKAGE])
        self.assertEqual(import_path([""], PACKAGE), [PACKAGE])
