"""Imports go down the floors of docs/architecture.rst, and never up."""

from __future__ import annotations

import ast
import re

from twisted.trial.unittest import SynchronousTestCase

from .sources import PACKAGE, ROOT, Module, begins_with, imports, modules, parse


def floors() -> dict[str, int]:
    """:returns: the floors table of the architecture page."""
    page = (ROOT / "docs" / "architecture.rst").read_text("utf-8")
    table = re.split(r"^=+ =+ =+\n", page, flags=re.MULTILINE)[2]
    found, floor = dict[str, int](), -1
    for line in table.splitlines():
        floor = int(line[0]) if line[0].isdigit() else floor
        for name in line[6:46].replace("`", "").split():
            found[name] = floor
    return found


#: The floor of modules beside the folders that the page does not name: the parts of
#: what reads the configuration, builds and wires.
BUILDING = 6

#: The one way up: a command is the simulator's or the load test's, and imports it when
#: it is given.
COMMANDS = "twistedvoice.cli"
COMMANDED = ("twistedvoice.simulator", "twistedvoice.bench")


class House:
    """Who may import whom."""

    def __init__(self) -> None:
        self._floors = floors()
        self.modules = modules()

    def room(self, name: str) -> tuple[int, str]:
        """:returns: the floor of what is imported as ``name``, and its folder."""
        first = [*name.split(".")[1:], ""][0]
        if not first:
            return 0, ""
        module = self.modules.get(f"{PACKAGE}.{first}")
        if module is not None and module.is_package:
            return self._floors[f"{first}/"], first
        return self._floors.get(first, BUILDING), ""

    def offences(self, module: Module) -> list[str]:
        """:returns: each import of ``module`` that does not go down."""
        floor, folder = self.room(module.name)
        found = []
        for name in sorted(imports(module)):
            below, other = self.room(name)
            if not begins_with(name, PACKAGE) or _is_command(module, name):
                continue
            if below > floor or (below == floor and other != folder):
                found.append(f"{module.name} (floor {floor}) imports {name} ({below})")
        return found


def _is_command(module: Module, name: str) -> bool:
    return module.name == COMMANDS and begins_with(name, *COMMANDED)


class LayersTests(SynchronousTestCase):
    """What each module imports, wherever in it; only type checkers see further."""

    def setUp(self) -> None:
        self.house = House()

    def assert_planted_is_caught(self, where: str, line: str) -> None:
        """A module with one more import offends with it."""
        module = self.house.modules[where]
        planted = parse(where, f"{module.text}\n{line}\n")
        self.assertEqual(self.house.offences(module), [])
        self.assertEqual(len(self.house.offences(planted)), 1, planted.name)

    def assert_only(self, allowed: tuple[str, ...], *outside: str) -> None:
        """Only these modules of ours import any of ``outside``."""
        guilty = {
            module.name
            for module in self.house.modules.values()
            for name in imports(module)
            if begins_with(name, *outside)
        }
        self.assertEqual(
            {name for name in guilty if not begins_with(name, *allowed)}, set()
        )
        self.assertNotEqual(guilty, set(), f"nothing imports {outside}")

    def assert_none(self, folder: str, *outside: str) -> None:
        """Nothing in this folder imports any of ``outside``."""
        names = [name for name in self.house.modules if begins_with(name, folder)]
        self.assertGreater(len(names), 1)
        for name in names:
            for imported in imports(self.house.modules[name]):
                self.assertFalse(begins_with(imported, *outside), f"{name}: {imported}")

    def test_floors(self) -> None:
        """The page has a floor for every folder, and no floor for what is not there."""
        folders = {
            name.split(".")[1] + "/"
            for name in self.house.modules
            if name.count(".") > 1
        }
        named = floors()
        self.assertEqual({name for name in named if name.endswith("/")}, folders)
        for name in named:
            self.assertIn(f"{PACKAGE}.{name.removesuffix('/')}", self.house.modules)

    def test_no_arrow_upward(self) -> None:
        """Every import goes to a lower floor, or stays in its folder."""
        offences = [
            offence
            for module in self.house.modules.values()
            for offence in self.house.offences(module)
        ]
        self.assertEqual(offences, [])

    def test_planted_arrows(self) -> None:
        """An arrow upward or to a neighbour is caught, in whatever form it comes."""
        caught = self.assert_planted_is_caught
        caught("twistedvoice.calls.call", "from ..web.media import MediaSocket")
        caught("twistedvoice.calls.call", "from ..web import media")
        caught("twistedvoice.calls.call", "import twistedvoice.web.media")
        caught("twistedvoice.realtime.stream", "def f():\n    from ..calls import call")
        caught("twistedvoice.realtime.stream", "from ..carriers.twilio import dialect")
        caught("twistedvoice.recording.local", "from ..store.memory import MemoryStore")
        caught("twistedvoice.agents.echo", "from ..config import Config")
        caught("twistedvoice.agents.echo", "from ..reading import Reading")
        caught("twistedvoice.formats", "from . import audio")

    def test_simulator_shares_no_code_with_the_service(self) -> None:
        """The simulator has no encoder of the service: no bug can hide in both."""
        self.assert_none(
            "twistedvoice.simulator",
            *(f"{PACKAGE}.{name}" for name in ("carriers", "calls", "web", "realtime")),
        )

    def test_doubles_share_no_code_with_what_they_test(self) -> None:
        """A double of a service knows nothing of the agent that talks with it."""
        self.assert_none(
            "twistedvoice.doubles",
            *(f"{PACKAGE}.{name}" for name in ("agents", "calls", "web", "realtime")),
        )

    def test_what_comes_by_command_only(self) -> None:
        """Serving never imports the simulator, whose needs may not be installed."""
        module = self.house.modules[COMMANDS]
        for node in module.tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.assertNotRegex(ast.unparse(node), "archive|simulator|bench")

    def test_sound_and_carriers_do_no_io(self) -> None:
        """Sound and the carriers' languages know neither Twisted nor Autobahn."""
        for folder in ("audio", "carriers"):
            self.assert_none(f"{PACKAGE}.{folder}", "twisted", "autobahn", "treq")

    def test_autobahn_is_at_the_edges(self) -> None:
        """Autobahn is where WebSockets are, and nowhere else."""
        web = ("web.dial", "web.media", "web.receive", "web.site")
        edges = (*web, "doubles", "simulator", "bench")
        self.assert_only(tuple(f"{PACKAGE}.{name}" for name in edges), "autobahn")

    def test_treq_is_at_one_place(self) -> None:
        """One module performs HTTP requests."""
        self.assert_only((f"{PACKAGE}.web.client",), "treq")

    def test_extras(self) -> None:
        """What may not be installed is imported at one place, when it is needed."""
        for where, extra in (
            ("recording.convert", "soundfile"),
            ("outbox.sigv4", "botocore"),
        ):
            name = f"{PACKAGE}.{where}"
            self.assert_only((name,), extra)
            for node in self.house.modules[name].tree.body:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    self.assertNotIn(extra, ast.unparse(node))

    def test_global_reactor(self) -> None:
        """Only what starts the process touches the global reactor."""
        doubles = (
            "doubles.gemini.__main__",
            "doubles.openai.__main__",
            "doubles.cascade",
        )
        names = ("tap", "cli", "bench.child", *doubles)
        starters = tuple(f"{PACKAGE}.{name}" for name in names)
        self.assert_only(starters, "twisted.internet.reactor")
