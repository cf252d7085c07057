# -*- test-case-name: tests.test_docs -*-
"""Tests that the pages keep up with the code, and the pictures in them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

from automat import TypeMachineBuilder
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.lifecycle import Life, LifeMachine
from twistedvoice.recording.carrier_call import RecordingInputs, make_recording

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def _load(name: str) -> ModuleType:
    spec = spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


machines = _load("machines")


class Door:
    """The inputs of a planted machine."""

    def push(self) -> None:
        """Somebody pushes."""

    def lock(self) -> None:
        """Somebody locks it for good."""


def _door() -> object:
    builder = TypeMachineBuilder(Door, object)
    ajar, shut, locked = map(builder.state, ("Ajar", "Shut", "Locked"))
    ajar.upon(Door.push).to(shut).returns(None)
    ajar.upon(Door.lock).loop().returns(None)
    shut.upon(Door.lock).to(locked).returns(None)
    locked.upon(Door.push).loop().returns(None)

    @shut.upon(Door.push).loop()
    def knock(door: Door, core: object) -> None:
        """Make a noise."""

    return builder.build()


def _words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter()]


def _inputs(protocol: type) -> list[str]:
    return [name for name in vars(protocol) if not name.startswith("_")]


class MachinesTests(SynchronousTestCase):
    """State machines as pictures and tables."""

    def test_read(self) -> None:
        """States are live or final; inputs lead on, do something, or change nothing."""
        door = machines.read(_door())
        self.assertEqual(door.live, ["Ajar", "Shut"])
        self.assertEqual(door.final, ["Locked"])
        self.assertEqual(
            door.arrows,
            {
                ("Ajar", "Shut"): ["push"],
                ("Shut", "Locked"): ["lock"],
                ("Shut", "Shut"): ["push"],
            },
        )
        self.assertEqual(door.ignored, {"Ajar": ["lock"], "Locked": ["push"]})

    def test_table(self) -> None:
        """The table has a row for each arrow, and one for each final state."""
        table = "\n".join(machines.read(_door()).table())
        rows = [re.findall(r"- ?(.*)", row) for row in table.split("   * ")[1:]]
        self.assertEqual(
            rows[1:],
            [
                ["Ajar", "push", "Shut", "lock"],
                ["Shut", "lock", "Locked", ""],
                ["", "push", "itself, at work", ""],
                ["Locked", "", "", "push"],
            ],
        )

    def test_picture(self) -> None:
        """The picture is well-formed, and has every state and every arrow's inputs."""
        words = _words(machines.Drawing(machines.read(_door())).svg())
        self.assertEqual(
            sorted(filter(None, words)),
            ["Ajar", "Locked", "Shut", "lock", "push", "push"],
        )

    def test_ours(self) -> None:
        """Each of our machines is drawn with all that can happen to it."""
        for machine, protocol in (
            (LifeMachine, Life),
            (make_recording, RecordingInputs),
        ):
            found = machines.read(machine)
            words = _words(machines.Drawing(found).svg())
            self.assertLessEqual({*found.live, *found.final}, set(words))
            self.assertLessEqual(set(_inputs(protocol)), set(words))


class PagesTests(SynchronousTestCase):
    """What stands in the pages."""

    def test_index(self) -> None:
        """Every page is in the index, and every entry is a page."""
        index = (DOCS / "index.rst").read_text()
        entries = re.findall(r"^   ([a-z-]+)$", index, re.MULTILINE)
        pages = {page.stem for page in DOCS.glob("*.rst")} - {"index"}
        self.assertEqual(sorted(entries), sorted(pages))

    def test_readme_agent(self) -> None:
        """The agent in the README is the one that is tested."""
        example = (DOCS / "examples" / "hello_agent.py").read_text()
        _, _, agent = example.partition("\n\n\nclass ")
        shown = "".join(
            _indented((ROOT / "README.rst").read_text(), "class HelloAgent")
        )
        self.assertEqual(shown.strip(), f"class {agent}".strip())

    def test_links(self) -> None:
        """The files that the README links to are there."""
        links = re.findall(r"<([\w./-]+)>`_", (ROOT / "README.rst").read_text())
        self.assertIn("docs/security.rst", links)
        self.assertEqual([link for link in links if not (ROOT / link).is_file()], [])

    def test_outcomes(self) -> None:
        """Every outcome that a call can have is explained under troubleshooting."""
        sources = [*(ROOT / "twistedvoice" / "calls").glob("*.py")]
        sources += [ROOT / "twistedvoice" / "service.py"]
        text = "".join(source.read_text() for source in sources)
        given = set(
            re.findall(
                r'(?:\.over|hang_up|misbehaved|end_all|_must_end)\("(\w+)"\)', text
            )
        )
        page = (DOCS / "troubleshooting.rst").read_text()
        self.assertIn("completed", given)
        self.assertEqual([word for word in given if f"``{word}``" not in page], [])


def _indented(text: str, beginning: str) -> Iterator[str]:
    """:returns: the lines of the literal block that begins so, without its indent."""
    _, _, rest = text.partition(f"    {beginning}")
    for line in f"    {beginning}{rest}".splitlines(keepends=True):
        if line.strip() and not line.startswith("    "):
            return
        yield line.removeprefix("    ")
