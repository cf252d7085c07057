"""How Sphinx builds these pages: ``python -m sphinx -W -n docs docs/_build``."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

_HERE = Path(__file__).parent
# The pages describe this checkout, not an installed copy.
sys.path[:0] = [str(_HERE.parent), str(_HERE)]

from machines import Drawing, read  # noqa: E402

import twistedvoice  # noqa: E402

project = "twistedvoice"
author = "The twistedvoice maintainers"
copyright = "2026, the twistedvoice maintainers"  # noqa: A001
version = release = twistedvoice.__version__

extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"twistedvoice {version}"
default_role = "literal"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "undoc-members": True}

nitpicky = True
#: What we do not link to: other projects, and what is not public here.
nitpick_ignore_regex = [
    ("py:.*", r"(twisted|zope|attrs?|collections|pathlib|typing)(\..*)?"),
    ("py:.*", r"(Deferred|IDelayedCall|Clock|Path|Any|AgentFactory|Encoding)"),
    ("py:.*", r"(twistedvoice\.)?(agents\.)?(menu\.MenuTree|sounds\.Sounds)"),
    ("py:.*", r"numpy\..*|<InterfaceClass .*>|.*\._Method|.*\.(Model|Memories)"),
    ("py:.*", r".*\.cascade\.services\.Services"),
    ("py:mod", r"twistedvoice\.web\.dial"),
    ("py:.*", r"twistedvoice\.realtime\..*"),
]


class MachineDirective(Directive):
    """``.. machine:: package.module:name`` draws a state machine from the code."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module, _, name = self.arguments[0].partition(":")
        machine = read(getattr(import_module(module), name))
        picture = nodes.raw("", Drawing(machine).svg(), format="html")
        table = nodes.container()
        lines = StringList(list(machine.table()), source=self.arguments[0])
        self.state.nested_parse(lines, self.content_offset, table)
        return [picture, *table.children]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_directive("machine", MachineDirective)
